import { Body, Controller, Get, Patch, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { PageQuery, toPage } from '../../common/pagination.js';
import { Accepts } from '../../common/request-body.js';
import { UuidParam } from '../../common/uuid-param.js';
import { LastAdmin, UserNotFound } from '../../users/users.errors.js';
import { Allow } from '../auth.decorators.js';
import { BreakGlassStays } from '../auth.errors.js';
import { Permission } from '../permissions.js';
import { AccountsService } from './accounts.service.js';
import { ChangeUserRequest, toUserResponse, UserPageResponse, UserResponse } from './users.dto.js';

@ApiTags('Users')
@Controller({ path: 'users', version: '1' })
export class UsersController {
  constructor(private readonly accounts: AccountsService) {}

  @Get()
  @Allow(Permission.UsersRead)
  @ApiOperation({ summary: 'List accounts', description: 'Sorted by user name.' })
  @ApiOkResponse({ type: UserPageResponse })
  @ApiErrors(UnprocessableFields)
  async listUsers(@CurrentActor() actor: Actor, @Query() query: PageQuery): Promise<UserPageResponse> {
    return toPage(await this.accounts.listFor(actor, {}, query.page, query.size), query, ({ user }) =>
      toUserResponse(user),
    );
  }

  @Patch(':user_id')
  @Allow(Permission.UsersChange)
  @Accepts('json')
  @ApiOperation({
    summary: 'Disable or enable an account',
    description: 'A disabled account is refused at once, whatever tokens it holds.',
  })
  @ApiOkResponse({ type: UserResponse })
  @ApiErrors(UserNotFound, LastAdmin, BreakGlassStays, BodyTooLarge, UnsupportedMediaType, UnprocessableFields)
  async changeUser(
    @CurrentActor() actor: Actor,
    @UuidParam('user_id') id: string,
    @Body() body: ChangeUserRequest,
  ): Promise<UserResponse> {
    return toUserResponse((await this.accounts.change(actor, id, { isActive: body.is_active })).user);
  }
}
