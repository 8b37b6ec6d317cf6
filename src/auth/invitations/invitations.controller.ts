import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { PageQuery, toPage } from '../../common/pagination.js';
import { Accepts } from '../../common/request-body.js';
import { UuidParam } from '../../common/uuid-param.js';
import { UserEmailTaken } from '../../users/users.errors.js';
import { Allow } from '../auth.decorators.js';
import { AlreadyInvited, InvitationEnded, InvitationNotFound } from '../auth.errors.js';
import { Permission } from '../permissions.js';
import { InvitationPageResponse, InvitationResponse, InviteRequest, toInvitationResponse } from './invitations.dto.js';
import { InvitationsService } from './invitations.service.js';

@ApiTags('Users')
@Controller({ path: 'admin/invitations', version: '1' })
export class InvitationsController {
  constructor(private readonly invitations: InvitationsService) {}

  @Get()
  @Allow(Permission.UsersRead)
  @ApiOperation({ summary: 'List invitations', description: 'Latest first.' })
  @ApiOkResponse({ type: InvitationPageResponse })
  @ApiErrors(UnprocessableFields)
  async listInvitations(@Query() query: PageQuery): Promise<InvitationPageResponse> {
    return toPage(await this.invitations.list(query.page, query.size), query, toInvitationResponse);
  }

  @Post()
  @Allow(Permission.UsersChange)
  @Accepts('json')
  @ApiOperation({
    summary: 'Invite somebody',
    description: 'Mails a link that makes an account of this role, once and within 72 hours.',
  })
  @ApiCreatedResponse({ type: InvitationResponse })
  @ApiErrors(UserEmailTaken, AlreadyInvited, BodyTooLarge, UnsupportedMediaType, UnprocessableFields)
  async invite(@CurrentActor() actor: Actor, @Body() body: InviteRequest): Promise<InvitationResponse> {
    return toInvitationResponse(await this.invitations.invite(actor, body));
  }

  @Post(':invitation_id/resend')
  @Allow(Permission.UsersChange)
  @ApiOperation({
    summary: 'Invite again',
    description: 'A new invitation with a new link takes the place of this one, whose link works no more.',
  })
  @ApiCreatedResponse({ type: InvitationResponse })
  @ApiErrors(InvitationNotFound, InvitationEnded, UnprocessableFields)
  async resend(@CurrentActor() actor: Actor, @UuidParam('invitation_id') id: string): Promise<InvitationResponse> {
    return toInvitationResponse(await this.invitations.resend(actor, id));
  }

  @Delete(':invitation_id')
  @Allow(Permission.UsersChange)
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an invitation', description: 'Its link works no more.' })
  @ApiNoContentResponse({ description: 'It is revoked' })
  @ApiErrors(InvitationNotFound, InvitationEnded, UnprocessableFields)
  async revoke(@CurrentActor() actor: Actor, @UuidParam('invitation_id') id: string): Promise<void> {
    await this.invitations.revoke(actor, id);
  }
}
