import { Body, Controller, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { toPage } from '../../common/pagination.js';
import { Accepts } from '../../common/request-body.js';
import { UuidParam } from '../../common/uuid-param.js';
import { LastAdmin, UserEmailTaken, UsernameTaken, UserNotFound } from '../../users/users.errors.js';
import { Allow } from '../auth.decorators.js';
import { BreakGlassStays, SignInBusy } from '../auth.errors.js';
import { Permission } from '../permissions.js';
import { AccountsService } from './accounts.service.js';
import {
  AccountDetailsResponse,
  AccountPageResponse,
  ChangeAccountRequest,
  CreateUserRequest,
  toAccountDetails,
  UserQuery,
} from './users.dto.js';

@ApiTags('Users')
@Controller({ path: 'admin/users', version: '1' })
export class UsersAdminController {
  constructor(private readonly accounts: AccountsService) {}

  @Get()
  @Allow(Permission.UsersRead)
  @ApiOperation({ summary: 'Find accounts', description: 'Sorted by user name.' })
  @ApiOkResponse({ type: AccountPageResponse })
  @ApiErrors(UnprocessableFields)
  async findUsers(
    @CurrentActor() actor: Actor,
    @Query() { search, role, is_active: active, ...query }: UserQuery,
  ): Promise<AccountPageResponse> {
    const isActive = active === undefined ? undefined : active === 'true';
    return toPage(
      await this.accounts.listFor(actor, { search, role, isActive }, query.page, query.size),
      query,
      toAccountDetails,
    );
  }

  @Get(':user_id')
  @Allow(Permission.UsersRead)
  @ApiOperation({ summary: 'One account' })
  @ApiOkResponse({ type: AccountDetailsResponse })
  @ApiErrors(UserNotFound, UnprocessableFields)
  async getUser(@CurrentActor() actor: Actor, @UuidParam('user_id') id: string): Promise<AccountDetailsResponse> {
    return toAccountDetails(await this.accounts.getFor(actor, id));
  }

  @Post()
  @Allow(Permission.UsersChange)
  @Accepts('json')
  @ApiOperation({ summary: 'Make an account', description: 'Admins and superadmins are made by superadmins alone.' })
  @ApiCreatedResponse({ type: AccountDetailsResponse })
  @ApiErrors(UsernameTaken, UserEmailTaken, BodyTooLarge, UnsupportedMediaType, UnprocessableFields, SignInBusy)
  async createUser(@CurrentActor() actor: Actor, @Body() body: CreateUserRequest): Promise<AccountDetailsResponse> {
    return toAccountDetails(await this.accounts.create(actor, body));
  }

  @Patch(':user_id')
  @Allow(Permission.UsersChange)
  @Accepts('json')
  @ApiOperation({
    summary: 'Change a role, disable or enable an account',
    description:
      'Takes effect at once, whatever tokens the account holds. What concerns admins and superadmins is for superadmins ' +
      'alone, and the last active superadmin stays.',
  })
  @ApiOkResponse({ type: AccountDetailsResponse })
  @ApiErrors(UserNotFound, LastAdmin, BreakGlassStays, BodyTooLarge, UnsupportedMediaType, UnprocessableFields)
  async changeAccount(
    @CurrentActor() actor: Actor,
    @UuidParam('user_id') id: string,
    @Body() { role, is_active: isActive }: ChangeAccountRequest,
  ): Promise<AccountDetailsResponse> {
    return toAccountDetails(await this.accounts.change(actor, id, { role, isActive }));
  }

  @Post(':user_id/unlock')
  @Allow(Permission.UsersChange)
  @HttpCode(200)
  @ApiOperation({ summary: 'Forget failed sign-ins', description: 'Whoever was kept from signing in may try again.' })
  @ApiOkResponse({ type: AccountDetailsResponse })
  @ApiErrors(UserNotFound, UnprocessableFields)
  async unlock(@CurrentActor() actor: Actor, @UuidParam('user_id') id: string): Promise<AccountDetailsResponse> {
    return toAccountDetails(await this.accounts.unlock(actor, id));
  }
}
