import { Module } from '@nestjs/common';
import { FileArrivalsService } from '../file-arrivals.service.js';
import { KeyTrialService } from '../key-trial.service.js';
import { Spool } from '../spool.js';
import { FileStorages } from './file-storages.js';

/**
 * Where bytes are kept, and the folder that they wait in before. Knows no rows and makes no keys, so that an instance can be
 * filled before there are some.
 */
@Module({
  providers: [Spool, FileStorages, FileArrivalsService, KeyTrialService],
  exports: [Spool, FileStorages, FileArrivalsService, KeyTrialService],
})
export class StoragesModule {}
