import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../../common/actor.js';
import { ApiErrors } from '../../common/api-errors.js';
import { BodyTooLarge, UnprocessableFields, UnsupportedMediaType } from '../../common/errors.js';
import { RateLimited } from '../../common/rate-limited.js';
import { Accepts } from '../../common/request-body.js';
import { UuidParam } from '../../common/uuid-param.js';
import { Allow, BeforeSecondFactor } from '../auth.decorators.js';
import { SignInBusy, WrongPassword } from '../auth.errors.js';
import { Permission } from '../permissions.js';
import {
  AddedPasskeyResponse,
  AddPasskeyRequest,
  ConfirmTotpRequest,
  EnrolTotpRequest,
  FactorsResponse,
  NewTotpResponse,
  PasskeyOptionsResponse,
  ProofRequest,
  RecoveryCodesResponse,
  toFactorsResponse,
  toNewTotpResponse,
  toProof,
  toRecoveryCodesResponse,
} from './factors.dto.js';
import {
  FactorNotFound,
  LastFactor,
  NoSecondFactor,
  PasskeyRefused,
  TooManyFactors,
  WrongFactorCode,
} from './factors.errors.js';
import { FactorsService } from './factors.service.js';
import { PasskeyRegistrations } from './passkey-registrations.js';
import { TotpService } from './totp.service.js';

const BODY_REFUSALS = [BodyTooLarge, UnsupportedMediaType, UnprocessableFields] as const;
/** Of routes that ask for the password and a factor. */
const PROOF_REFUSALS = [...BODY_REFUSALS, WrongPassword, WrongFactorCode, SignInBusy] as const;

@ApiTags('Second factors')
@Controller({ path: 'auth/factors', version: '1' })
export class FactorsController {
  constructor(
    private readonly factors: FactorsService,
    private readonly totps: TotpService,
    private readonly passkeys: PasskeyRegistrations,
  ) {}

  @Get()
  @Allow(Permission.Self)
  @BeforeSecondFactor()
  @ApiOperation({ summary: 'My second factors' })
  @ApiOkResponse({ type: FactorsResponse })
  async listFactors(@CurrentActor() actor: Actor): Promise<FactorsResponse> {
    return toFactorsResponse(await this.factors.getOwn(actor));
  }

  @Post('totp')
  @Allow(Permission.Self)
  @BeforeSecondFactor()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Add an authenticator app',
    description: 'Gives its secret, this once. It counts when a code has confirmed it, within 15 minutes.',
  })
  @ApiCreatedResponse({ type: NewTotpResponse })
  @ApiErrors(...PROOF_REFUSALS, TooManyFactors)
  async enrolTotp(@CurrentActor() actor: Actor, @Body() body: EnrolTotpRequest): Promise<NewTotpResponse> {
    return toNewTotpResponse(await this.totps.enrol(actor, body.name ?? 'Authenticator', toProof(body)));
  }

  @Post('totp/:factor_id/confirm')
  @HttpCode(200)
  @Allow(Permission.Self)
  @BeforeSecondFactor()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Confirm an authenticator app',
    description: 'The first factor brings recovery codes and ends your other sessions.',
  })
  @ApiOkResponse({ type: RecoveryCodesResponse })
  @ApiErrors(...BODY_REFUSALS, FactorNotFound, WrongFactorCode)
  async confirmTotp(
    @CurrentActor() actor: Actor,
    @UuidParam('factor_id') id: string,
    @Body() body: ConfirmTotpRequest,
  ): Promise<RecoveryCodesResponse> {
    return toRecoveryCodesResponse(await this.totps.confirm(actor, id, body.code));
  }

  @Post('passkeys/options')
  @HttpCode(200)
  @Allow(Permission.Self)
  @BeforeSecondFactor()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({ summary: 'Begin to add a passkey', description: 'Good for one passkey within five minutes.' })
  @ApiOkResponse({ type: PasskeyOptionsResponse })
  @ApiErrors(...PROOF_REFUSALS, TooManyFactors)
  async beginPasskey(@CurrentActor() actor: Actor, @Body() body: ProofRequest): Promise<PasskeyOptionsResponse> {
    return { public_key: await this.passkeys.creationOptions(actor, toProof(body)) };
  }

  @Post('passkeys')
  @Allow(Permission.Self)
  @BeforeSecondFactor()
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Add a passkey',
    description: 'The first factor brings recovery codes and ends your other sessions.',
  })
  @ApiCreatedResponse({ type: AddedPasskeyResponse })
  @ApiErrors(...BODY_REFUSALS, PasskeyRefused, TooManyFactors)
  async addPasskey(@CurrentActor() actor: Actor, @Body() body: AddPasskeyRequest): Promise<AddedPasskeyResponse> {
    const { id, recoveryCodes } = await this.passkeys.add(actor, body.name ?? 'Passkey', body.credential);
    return { id, ...toRecoveryCodesResponse(recoveryCodes) };
  }

  @Post('recovery-codes')
  @HttpCode(200)
  @Allow(Permission.Self)
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({ summary: 'Make new recovery codes', description: 'The old ones work no more.' })
  @ApiOkResponse({ type: RecoveryCodesResponse })
  @ApiErrors(...PROOF_REFUSALS, NoSecondFactor)
  async renewRecoveryCodes(@CurrentActor() actor: Actor, @Body() body: ProofRequest): Promise<RecoveryCodesResponse> {
    return toRecoveryCodesResponse(await this.factors.renewRecoveryCodes(actor, toProof(body)));
  }

  @Post(':factor_id/remove')
  @HttpCode(204)
  @Allow(Permission.Self)
  @RateLimited('login')
  @Accepts('json')
  @ApiOperation({
    summary: 'Remove a factor',
    description: 'Not the last one of somebody whose role needs one. No DELETE, because that carries no body.',
  })
  @ApiNoContentResponse({ description: 'It is gone' })
  @ApiErrors(...PROOF_REFUSALS, FactorNotFound, LastFactor)
  async removeFactor(
    @CurrentActor() actor: Actor,
    @UuidParam('factor_id') id: string,
    @Body() body: ProofRequest,
  ): Promise<void> {
    await this.factors.remove(actor, id, toProof(body));
  }
}
