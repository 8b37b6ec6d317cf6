import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiOAuth2, ApiSecurity } from '@nestjs/swagger';
import { ApiErrors } from '../common/api-errors.js';
import { API_KEY_SCHEME } from '../common/api-key-scheme.js';
import { InternalError, ServiceUnavailable, TooManyRequests } from '../common/errors.js';
import { Forbidden, InvalidApiKey, InvalidToken, NotSignedIn } from './auth.errors.js';
import { type Permission, SCOPES } from './permissions.js';

/** What a route says of its access. A route that says nothing answers 403 to everybody. */
export type Access = 'public' | Permission;

export const ACCESS = Symbol('access');

/** Anybody may call this route. The contract test spells out the whole list of such routes. */
export const Public = (): MethodDecorator =>
  applyDecorators(SetMetadata(ACCESS, 'public' satisfies Access), ApiErrors(InternalError));

/** Whoever has this permission may call this route; with an API key, where there are keys for it. */
export const Allow = (permission: Permission): MethodDecorator =>
  applyDecorators(
    SetMetadata(ACCESS, permission satisfies Access),
    ApiOAuth2([]),
    ...(SCOPES.has(permission) ? [ApiSecurity(API_KEY_SCHEME)] : []),
    ApiErrors(NotSignedIn, InvalidToken, InvalidApiKey, Forbidden, TooManyRequests, InternalError, ServiceUnavailable),
  );
