import { Module } from '@nestjs/common';
import { Database } from '../database/database.js';
import { FilesModule } from '../files/files.module.js';
import { BackupService } from './backup.service.js';
import { SnapshotRepository } from './snapshot.repository.js';
import { refuseUnfinishedRestore } from './unfinished-restore.js';

/** Before anything of the application begins, such as making the first admin. */
const NO_UNFINISHED_RESTORE = Symbol('no unfinished restore');

/**
 * Backups: archives of everything that an instance knows. Owns no table; reads them all, as they are. Promises that no archive is
 * kept that is not whole, and that an instance that was only half filled by a restore does not start.
 */
@Module({
  imports: [FilesModule],
  providers: [
    BackupService,
    SnapshotRepository,
    {
      provide: NO_UNFINISHED_RESTORE,
      useFactory: (database: Database) => refuseUnfinishedRestore(database),
      inject: [Database],
    },
  ],
})
export class BackupModule {}
