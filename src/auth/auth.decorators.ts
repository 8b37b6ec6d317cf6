import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiOAuth2, ApiSecurity } from '@nestjs/swagger';
import { ApiErrors } from '../common/api-errors.js';
import { API_KEY_SCHEME } from '../common/api-key-scheme.js';
import { InternalError, ServiceUnavailable, TooManyRequests } from '../common/errors.js';
import { Forbidden, InvalidApiKey, InvalidToken, NotSignedIn } from './auth.errors.js';
import { type Permission, SCOPES } from './permissions.js';

/** What a route says of its access. A route that says nothing answers 403 to everybody. */
export type Access = 'public' | Permission;

export const ACCESS = Symbol('access');
export const BEFORE_FACTOR = Symbol('before a second factor');

/** Anybody may call this route. The contract test spells out the whole list of such routes. */
export const Public = (): MethodDecorator =>
  applyDecorators(SetMetadata(ACCESS, 'public' satisfies Access), ApiErrors(InternalError));

/**
 * Also for whoever still lacks the second factor that their role needs: what it takes to add one, and to leave. Stands beside
 * {@link Allow}.
 */
export const BeforeSecondFactor = (): MethodDecorator => SetMetadata(BEFORE_FACTOR, true);

/** Whoever has this permission may call this route; with an API key, where there are keys for it. */
export const Allow = (permission: Permission): MethodDecorator =>
  applyDecorators(
    SetMetadata(ACCESS, permission satisfies Access),
    ApiOAuth2([]),
    ApiBearerAuth(),
    ...(SCOPES.has(permission) ? [ApiSecurity(API_KEY_SCHEME)] : []),
    ApiErrors(NotSignedIn, InvalidToken, InvalidApiKey, Forbidden, TooManyRequests, InternalError, ServiceUnavailable),
  );
