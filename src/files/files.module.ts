import { Module } from '@nestjs/common';
import { DiskStorage } from './disk-storage.js';
import { FileStorage } from './file-storage.js';
import { FilesController } from './files.controller.js';
import { FilesRepository } from './files.repository.js';
import { FilesService } from './files.service.js';

/**
 * Uploads and stored files. Owns the table `files` and the upload folder; promises that a row names only bytes that are
 * whole and durable, and that a refused upload leaves nothing. Leaves who may see a file to the module that refers to it.
 */
@Module({
  controllers: [FilesController],
  providers: [FilesRepository, FilesService, { provide: FileStorage, useClass: DiskStorage }],
  exports: [FilesService, FileStorage],
})
export class FilesModule {}
