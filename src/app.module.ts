import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { AlertsModule } from './alerts/alerts.module.js';
import { AuthModule } from './auth/auth.module.js';
import { BackupModule } from './backup/backup.module.js';
import { CommonModule } from './common/common.module.js';
import type { Tracing } from './common/tracing.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { FilesModule } from './files/files.module.js';
import { JobsModule } from './jobs/jobs.module.js';
import { LeadsModule } from './leads/leads.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { DevMailModule } from './mail/dev-mail.module.js';
import { MailModule } from './mail/mail.module.js';
import { OpsModule } from './ops/ops.module.js';
import { PersonsModule } from './persons/persons.module.js';
import { PrivacyModule } from './privacy/privacy.module.js';
import { UsersModule } from './users/users.module.js';

/** The list of modules: the map of the system. */
@Module({})
export class AppModule {
  static with(config: Config, logger: Logger, tracing: Tracing): DynamicModule {
    const hasInbox = !config.isProduction && config.mail.smtp === undefined;
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        CommonModule.with(logger, tracing),
        DatabaseModule,
        LimitsModule,
        PersonsModule,
        JobsModule,
        AlertsModule,
        MailModule,
        FilesModule,
        BackupModule,
        UsersModule,
        AuthModule,
        LeadsModule,
        PrivacyModule,
        OpsModule,
        ...(hasInbox ? [DevMailModule] : []),
      ],
    };
  }
}
