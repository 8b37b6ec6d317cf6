import { Module } from '@nestjs/common';
import { JobsService } from './jobs.service.js';

/**
 * Durable background work. Owns the schema `graphile_worker`; promises that a job commits with its cause, runs at least
 * once, and is taken over within twenty seconds when its process dies. What a job does belongs to the module that defines it.
 */
@Module({ providers: [JobsService], exports: [JobsService] })
export class JobsModule {}
