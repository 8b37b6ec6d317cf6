import { Module } from '@nestjs/common';
import { DevMailController } from './dev-mail.controller.js';
import { DevMailService } from './dev-mail.service.js';
import { MailModule } from './mail.module.js';

/**
 * The development inbox at /dev/mail: reads the `.eml` files that stand in for a mail server. Not part of the application
 * in production, nor where SMTP_HOST is set.
 */
@Module({ imports: [MailModule], controllers: [DevMailController], providers: [DevMailService] })
export class DevMailModule {}
