import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ChoiceField, FlagField, LineField } from '../../common/fields.js';
import { SecretField } from '../accounts/account-fields.js';
import { asksForCookies } from '../auth.dto.js';
import { CredentialField } from './credential-field.js';
import type { GivenProof } from './factor-proofs.js';
import type { Factor, FactorsView } from './factors.service.js';
import { type QrCode, qrCodeOf } from './qr-code.js';
import { SECOND_FACTORS, type SecondFactor } from './second-factor.js';
import type { NewTotp } from './totp.service.js';

const CODE = { min: 6, max: 40 } as const;
const NAME = { min: 1, max: 60, optional: true } as const;

/** What is asked before factors change. */
export class ProofRequest {
  @SecretField()
  current_password!: string;

  @LineField({
    ...CODE,
    optional: true,
    description:
      'A code of an authenticator app or a recovery code. Needed when you have a factor, save within ten minutes of a sign-in with two',
  })
  code?: string;
}

export class EnrolTotpRequest extends ProofRequest {
  @LineField({ ...NAME, description: 'What you call it', example: 'Phone' })
  name?: string;
}

export class ConfirmTotpRequest {
  @LineField({ min: 6, max: 6, description: 'What the app shows now', example: '287082' })
  code!: string;
}

export class AddPasskeyRequest {
  @LineField({ ...NAME, description: 'What you call it', example: 'Laptop' })
  name?: string;

  @CredentialField('registration')
  credential!: object;
}

export class PasskeyOptionsRequest {
  @SecretField({
    optional: true,
    description: 'For the second step of a sign-in; left out to sign in with a passkey alone',
  })
  challenge_token?: string;
}

class WithCookies {
  @Transform(({ value }: { value: unknown }) => asksForCookies(value))
  @FlagField({ optional: true, description: 'As at the first step: keeps the refresh token in an HttpOnly cookie' })
  cookies?: boolean;
}

export class PasskeySignInRequest extends WithCookies {
  @CredentialField('authentication')
  credential!: object;
}

export class VerifyRequest extends WithCookies {
  @SecretField()
  challenge_token!: string;

  @ChoiceField(SECOND_FACTORS, { enumName: 'SecondFactor' })
  method!: SecondFactor;

  @LineField({ ...CODE, optional: true, description: 'For totp and recovery_code', example: '287082' })
  code?: string;

  @CredentialField('authentication', { optional: true, description: 'For passkey' })
  credential?: object;
}

export class FactorResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ enum: ['totp', 'passkey'] })
  kind!: string;

  @ApiProperty({ example: 'Phone' })
  name!: string;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_used_at!: string | null;
}

export class FactorsResponse {
  @ApiProperty({ type: [FactorResponse] })
  factors!: FactorResponse[];

  @ApiProperty({ type: 'integer', example: 10 })
  recovery_codes_left!: number;

  @ApiProperty({ description: 'Whether your role needs one' })
  is_required!: boolean;
}

export class NewTotpResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', description: 'In base32, to be typed; shown only now' })
  secret!: string;

  @ApiProperty({ example: 'otpauth://totp/Forecourt:ada?issuer=Forecourt&secret=…' })
  otpauth_uri!: string;

  @ApiProperty({ description: 'The same as a QR code: a data URI of an SVG' })
  qr_svg!: string;

  @ApiProperty({ description: 'The same as a QR code: a data URI of a PNG' })
  qr_png!: string;
}

export class RecoveryCodesResponse {
  @ApiPropertyOptional({
    type: [String],
    example: ['7g3k-x0qd-41mz-b8nv-c2ty-p9rw'],
    description: 'Ten codes, each good once, shown only now; with the first factor, and when new ones are asked for',
  })
  recovery_codes?: string[];
}

export class AddedPasskeyResponse extends RecoveryCodesResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;
}

export class PasskeyOptionsResponse {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`',
  })
  public_key!: object;
}

export function toProof({ current_password: password, code }: ProofRequest): GivenProof {
  return { password, code };
}

export function toFactorsResponse({ factors, recoveryCodesLeft, isRequired }: FactorsView): FactorsResponse {
  return {
    factors: factors.map(toFactorResponse),
    recovery_codes_left: recoveryCodesLeft,
    is_required: isRequired,
  };
}

function toFactorResponse({ id, kind, name, createdAt, lastUsedAt }: Factor): FactorResponse {
  return {
    id,
    kind,
    name,
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt?.toISOString() ?? null,
  };
}

export function toNewTotpResponse({ id, secret, uri }: NewTotp): NewTotpResponse {
  const { svg, png }: QrCode = qrCodeOf(uri);
  return { id, secret, otpauth_uri: uri, qr_svg: svg, qr_png: png };
}

export function toRecoveryCodesResponse(codes: readonly string[] | undefined): RecoveryCodesResponse {
  return codes === undefined ? {} : { recovery_codes: [...codes] };
}
