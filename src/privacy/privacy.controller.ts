import { Body, Controller, Delete, Get, HttpCode, Post, Query, Res, type StreamableFile } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiExtraModels,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { Allow } from '../auth/auth.decorators.js';
import { Permission } from '../auth/permissions.js';
import { type Actor, CurrentActor } from '../common/actor.js';
import { ApiErrors } from '../common/api-errors.js';
import { BodyTooLarge, UnprocessableFields, UnsupportedMediaType } from '../common/errors.js';
import { toPage } from '../common/pagination.js';
import { RateLimited } from '../common/rate-limited.js';
import { Accepts } from '../common/request-body.js';
import { streamFile } from '../common/stream-file.js';
import { UuidParam } from '../common/uuid-param.js';
import { PageQuery } from '../common/pagination.js';
import { AlreadyOnHold, HoldNotFound, PersonIsStaff, PersonOnHold } from '../persons/persons.errors.js';
import { ErasuresService } from './erasures.service.js';
import {
  ErasePersonRequest,
  ErasurePageResponse,
  ErasureResponse,
  FoundPersonResponse,
  HoldPageResponse,
  HoldPersonRequest,
  HoldResponse,
  ListHoldsQuery,
  PersonalRecordResponse,
  PersonRequest,
  toErasureResponse,
  toFoundPersonResponse,
  toHoldResponse,
} from './privacy.dto.js';
import { ErasureNotFound, PersonNotFound } from './privacy.errors.js';
import { PrivacyService } from './privacy.service.js';

// addresses come in bodies: what stands in an address of a request is kept by proxies
@ApiTags('Privacy')
@ApiExtraModels(PersonalRecordResponse)
@Controller({ path: 'admin/privacy', version: '1' })
export class PrivacyController {
  constructor(
    private readonly privacy: PrivacyService,
    private readonly erasures: ErasuresService,
  ) {}

  @Post('find')
  @Allow(Permission.PrivacyRead)
  @HttpCode(200)
  @Accepts('json')
  @ApiOperation({
    summary: 'Everything about a person',
    description: 'Of an address that nobody knows it is nothing. On record, by what stands for the person.',
  })
  @ApiOkResponse({ type: FoundPersonResponse })
  @ApiErrors(BodyTooLarge, UnsupportedMediaType, UnprocessableFields)
  async findPerson(@CurrentActor() actor: Actor, @Body() { email }: PersonRequest): Promise<FoundPersonResponse> {
    return toFoundPersonResponse(await this.privacy.find(actor, email));
  }

  @Post('export')
  @Allow(Permission.PrivacyRead)
  @HttpCode(200)
  @RateLimited('download')
  @Accepts('json')
  @ApiOperation({
    summary: 'Everything about a person, to take away',
    description:
      'A ZIP with person.json and the files as they were uploaded. On record before a byte of it leaves. A file that cannot be read, or in which malware was found, is named in the JSON and left out.',
  })
  @ApiProduces('application/zip')
  @ApiOkResponse({ description: 'The archive', schema: { type: 'string', format: 'binary' } })
  @ApiErrors(BodyTooLarge, UnsupportedMediaType, UnprocessableFields)
  async exportPerson(
    @CurrentActor() actor: Actor,
    @Body() { email }: PersonRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StreamableFile> {
    const archive = await this.privacy.export(actor, email);
    response.set({ 'Content-Type': 'application/zip', 'Content-Disposition': 'attachment; filename="person.zip"' });
    return streamFile(archive);
  }

  @Post('erasures')
  @Allow(Permission.PrivacyErase)
  @HttpCode(200)
  @Accepts('json')
  @ApiOperation({
    summary: 'Forget a person',
    description:
      'Removes every row about them and the keys of their files at once, and the bytes right after. Cannot be undone. What is left says who did it, when and why, and stands for the person without naming them. Asked again it answers the same.',
  })
  @ApiOkResponse({ type: ErasureResponse })
  @ApiErrors(PersonOnHold, PersonIsStaff, PersonNotFound, BodyTooLarge, UnsupportedMediaType, UnprocessableFields)
  async erasePerson(
    @CurrentActor() actor: Actor,
    @Body() { email, reason }: ErasePersonRequest,
  ): Promise<ErasureResponse> {
    return toErasureResponse(await this.erasures.erase(actor, email, reason));
  }

  @Get('erasures')
  @Allow(Permission.PrivacyRead)
  @ApiOperation({ summary: 'Who was forgotten', description: 'Without names. Latest first.' })
  @ApiOkResponse({ type: ErasurePageResponse })
  @ApiErrors(UnprocessableFields)
  async listErasures(@Query() query: PageQuery): Promise<ErasurePageResponse> {
    return toPage(await this.erasures.list(query.page, query.size), query, toErasureResponse);
  }

  @Get('erasures/:erasure_id')
  @Allow(Permission.PrivacyRead)
  @ApiOperation({ summary: 'How far an erasure is' })
  @ApiOkResponse({ type: ErasureResponse })
  @ApiErrors(ErasureNotFound, UnprocessableFields)
  async getErasure(@UuidParam('erasure_id') id: string): Promise<ErasureResponse> {
    return toErasureResponse(await this.erasures.get(id));
  }

  @Post('holds')
  @Allow(Permission.PrivacyHold)
  @Accepts('json')
  @ApiOperation({
    summary: 'Put a person on legal hold',
    description:
      'From then on no lead, mail, file or account of theirs is deleted, whoever asks and whatever the rules of retention say. Sessions and links that are over go as ever.',
  })
  @ApiCreatedResponse({ type: HoldResponse })
  @ApiErrors(AlreadyOnHold, BodyTooLarge, UnsupportedMediaType, UnprocessableFields)
  async holdPerson(@CurrentActor() actor: Actor, @Body() { email, reason }: HoldPersonRequest): Promise<HoldResponse> {
    return toHoldResponse(await this.privacy.hold(actor, email, reason));
  }

  @Get('holds')
  @Allow(Permission.PrivacyRead)
  @ApiOperation({ summary: 'Who is on legal hold', description: 'Latest first. On record.' })
  @ApiOkResponse({ type: HoldPageResponse })
  @ApiErrors(UnprocessableFields)
  async listHolds(@CurrentActor() actor: Actor, @Query() query: ListHoldsQuery): Promise<HoldPageResponse> {
    const isLifted = query.state === 'all' ? undefined : query.state === 'lifted';
    return toPage(await this.privacy.listHolds(actor, query.page, query.size, isLifted), query, toHoldResponse);
  }

  @Delete('holds/:hold_id')
  @Allow(Permission.PrivacyHold)
  @HttpCode(204)
  @ApiOperation({ summary: 'Lift a legal hold' })
  @ApiNoContentResponse({ description: 'What is about the person may be deleted again' })
  @ApiErrors(HoldNotFound, UnprocessableFields)
  async liftHold(@CurrentActor() actor: Actor, @UuidParam('hold_id') id: string): Promise<void> {
    await this.privacy.lift(actor, id);
  }
}
