import { Controller, Get, Header, Param, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../auth/auth.decorators.js';
import { DevMailService } from './dev-mail.service.js';

const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'none'";
/** A message may show its own styles and pictures and run nothing. */
const MESSAGE_POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'";

/** The development inbox. Not registered in production, nor where a mail server is configured. */
@ApiExcludeController()
@Controller({ path: 'dev/mail', version: VERSION_NEUTRAL })
export class DevMailController {
  constructor(private readonly inbox: DevMailService) {}

  @Get()
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', PAGE_POLICY)
  list(): Promise<string> {
    return this.inbox.renderList();
  }

  @Get(':id')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', PAGE_POLICY)
  message(@Param('id') id: string): Promise<string> {
    return this.inbox.renderMessage(id);
  }

  @Get(':id/html')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', MESSAGE_POLICY)
  @Header('X-Frame-Options', 'SAMEORIGIN')
  html(@Param('id') id: string): Promise<string> {
    return this.inbox.getHtml(id);
  }

  @Get(':id/text')
  @Public()
  @Header('Content-Type', 'text/plain; charset=utf-8')
  text(@Param('id') id: string): Promise<string> {
    return this.inbox.getText(id);
  }

  @Get(':id/source')
  @Public()
  @Header('Content-Type', 'text/plain; charset=utf-8')
  async source(@Param('id') id: string): Promise<string> {
    return (await this.inbox.getSource(id)).toString('utf8');
  }
}
