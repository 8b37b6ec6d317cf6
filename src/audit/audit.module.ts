import { Module } from '@nestjs/common';
import { AuditChain } from './audit-chain.js';
import { AuditChainRepository } from './audit-chain.repository.js';
import { AuditCheck } from './audit-check.js';
import { AuditReader } from './audit-reader.js';
import { AuditController } from './audit.controller.js';
import { AuditRepository } from './audit.repository.js';
import { AuditService } from './audit.service.js';
import { SeldomEntries } from './seldom-entries.js';

/**
 * The record of who did, saw and took what. Owns the table `audit_entries`, to which the database lets nobody do anything but
 * add, and links its entries into a chain of hashes, so that a change past the database is found. Leaves what is worth recording
 * to the modules that do it.
 */
@Module({
  controllers: [AuditController],
  providers: [AuditReader, AuditRepository, AuditService, AuditChainRepository, AuditChain, AuditCheck, SeldomEntries],
  exports: [AuditService],
})
export class AuditModule {}
