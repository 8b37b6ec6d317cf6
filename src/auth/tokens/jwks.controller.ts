import { Controller, Get, Header, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Conditional } from '../../common/conditional-answer.js';
import { Public } from '../auth.decorators.js';
import { isPublic, type SigningKey } from './signing-key.js';
import { SigningKeys } from './signing-keys.js';

class KeySetResponse {
  @ApiProperty({
    type: 'array',
    items: { type: 'object', additionalProperties: { type: 'string' } },
    example: [{ kid: '20260131T103000Z-5f3a9c10', kty: 'EC', crv: 'P-256', x: '…', y: '…', alg: 'ES256', use: 'sig' }],
    description: 'Public keys as RFC 7517 has them, the one that signs first',
  })
  keys!: object[];
}

@ApiTags('Accounts')
@Controller({ path: '.well-known', version: VERSION_NEUTRAL })
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  @Get('jwks.json')
  @Public()
  @Conditional()
  @Header('Cache-Control', 'public, max-age=300')
  @ApiOperation({
    summary: 'The keys that verify access tokens',
    description: 'For RS256 and ES256. With HS256 the set is empty: that key is a secret.',
  })
  @ApiOkResponse({ type: KeySetResponse })
  getKeys(): KeySetResponse {
    return { keys: this.keys.all.filter(({ algorithm }) => isPublic(algorithm)).map(toJsonWebKey) };
  }
}

function toJsonWebKey({ id, algorithm, verifiesWith }: SigningKey): object {
  return { kid: id, ...verifiesWith.export({ format: 'jwk' }), alg: algorithm, use: 'sig' };
}
