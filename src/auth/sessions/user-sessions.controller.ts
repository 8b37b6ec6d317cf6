import { Controller, Delete, Get, HttpCode, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor, sessionOf } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { UnprocessableFields } from '../../common/errors.js';
import { PageQuery, toPage } from '../../common/pagination.js';
import { UuidParam } from '../../common/uuid-param.js';
import { UserNotFound } from '../../users/users.errors.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { Allow } from '../auth.decorators.js';
import { Permission } from '../permissions.js';
import { SessionPageResponse, toSessionResponse } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Users')
@Controller({ path: 'admin/users/:user_id/sessions', version: '1' })
export class UserSessionsController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly accounts: AccountsService,
  ) {}

  @Get()
  @Allow(Permission.SessionsRead)
  @ApiOperation({ summary: 'Where somebody is signed in', description: 'Sessions that go on, the latest used first.' })
  @ApiOkResponse({ type: SessionPageResponse })
  @ApiErrors(UserNotFound, UnprocessableFields)
  async listUserSessions(
    @CurrentActor() actor: Actor,
    @UuidParam('user_id') id: string,
    @Query() query: PageQuery,
  ): Promise<SessionPageResponse> {
    const found = await this.sessions.listOf(id, query.page, query.size);
    return toPage(found, query, (session) => toSessionResponse(session, sessionOf(actor)));
  }

  @Delete()
  @HttpCode(204)
  @Allow(Permission.SessionsEnd)
  @ApiOperation({ summary: 'Sign somebody out everywhere', description: 'All their tokens are refused from now on.' })
  @ApiNoContentResponse({ description: 'All are over' })
  @ApiErrors(UserNotFound, UnprocessableFields)
  async endUserSessions(@CurrentActor() actor: Actor, @UuidParam('user_id') id: string): Promise<void> {
    await this.accounts.endSessions(actor, id);
  }
}
