import { Module } from '@nestjs/common';
import { AuditRepository } from './audit.repository.js';
import { AuditService } from './audit.service.js';

/**
 * The record of who did, saw and took what. Owns the table `audit_entries`, to which the database lets nobody do anything but
 * add. Leaves what is worth recording to the modules that do it.
 */
@Module({ providers: [AuditRepository, AuditService], exports: [AuditService] })
export class AuditModule {}
