import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, EmailField, LanguageField, LineField, TickField } from '../common/fields.js';
import { CursorPageQuery, CursorPageResponse } from '../common/pagination.js';
import { IgnoresOtherFields } from '../common/request-validation.pipe.js';
import type { ReceivedFile } from '../files/files.service.js';
import { UploadField } from '../files/upload.interceptor.js';
import { RESUME } from '../files/upload-profiles.js';
import { LeadMailResponse, toLeadMailResponse } from './lead-mails.dto.js';
import type { LeadStatusChange } from './lead-status-change.entity.js';
import { LeadStatus } from './lead-status.js';
import type { Lead } from './lead.entity.js';
import { LEAD_SORT_FIELDS, type LeadSortField } from './leads.repository.js';
import type { LeadDetail } from './leads.service.js';

const STATUSES = Object.values(LeadStatus);

/** The confirmation greets by name: a name with an address in it would make the practice send a stranger's advertisement. */
const NO_ADDRESS = { regex: /^(?!.*(?::\/\/|www\.))/i, says: 'Must not contain a web address' };

@IgnoresOtherFields()
export class SubmitLeadRequest {
  @LineField({ min: 1, max: 100, pattern: NO_ADDRESS, example: 'Ada' })
  first_name!: string;

  @LineField({ min: 1, max: 100, pattern: NO_ADDRESS, example: 'Lovelace' })
  last_name!: string;

  @EmailField({ example: 'ada@example.com', description: 'Trimmed and lower-cased; one lead per address' })
  email!: string;

  @LanguageField({
    optional: true,
    example: 'de-AT',
    description:
      'Language of the confirmation; the best of Accept-Language when absent, or when there are no mails in it',
  })
  locale?: string;

  @TickField({
    description:
      'Agrees to the text of CONSENT_TEXT_VERSION; needed when CONSENT_REQUIRED says so, and recorded when given',
  })
  consent?: boolean;

  @LineField({
    min: 0,
    max: 50,
    optional: true,
    example: '2026-11',
    description: 'The version of the text that was shown; the present one when absent or empty. Any other is refused',
  })
  consent_version?: string;

  @UploadField(RESUME, { description: 'A PDF, DOC or DOCX file of at most 5 MB (5 242 880 bytes)' })
  resume!: ReceivedFile;
}

export class ChangeLeadRequest {
  @ChoiceField(STATUSES, { enumName: 'LeadStatus', example: LeadStatus.ReachedOut })
  status!: LeadStatus;
}

export class ListLeadsQuery extends CursorPageQuery {
  @ChoiceField(STATUSES, { enumName: 'LeadStatus', optional: true, description: 'Only leads in this status' })
  status?: LeadStatus;

  @ChoiceField(LEAD_SORT_FIELDS, {
    optional: true,
    default: 'created_at',
    description: 'Leads never reached sort below every date',
  })
  sort_by: LeadSortField = 'created_at';

  @ChoiceField(['asc', 'desc'], { optional: true, default: 'desc' })
  sort_order: 'asc' | 'desc' = 'desc';
}

class LeadIdentity {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'Ada' })
  first_name!: string;

  @ApiProperty({ example: 'Lovelace' })
  last_name!: string;

  @ApiProperty({ format: 'email', example: 'ada@example.com' })
  email!: string;

  @ApiProperty({ enum: LeadStatus, enumName: 'LeadStatus' })
  status!: LeadStatus;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;
}

export class SubmittedLeadResponse extends LeadIdentity {
  @ApiProperty({ example: 'Lead submitted successfully. Confirmation email sent.' })
  message!: string;
}

export class LeadResponse extends LeadIdentity {
  @ApiProperty({ format: 'date-time' })
  updated_at!: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the prospect was contacted; null exactly while PENDING',
  })
  reached_out_at!: string | null;
}

/** What to know of a résumé before it is opened. */
export class LeadResumeResponse {
  @ApiProperty({ example: 'Résumé Ada Lovelace.pdf', description: 'As the sender named it' })
  original_name!: string;

  @ApiProperty({ example: 'application/pdf' })
  media_type!: string;

  @ApiProperty({ type: 'integer', example: 48213 })
  size_bytes!: number;

  @ApiProperty({
    type: [String],
    example: ['encrypted'],
    description:
      'encrypted, truncated, damaged, scripts, launch_actions, embedded_files, rich_media, macros, external_content, unchecked_parts',
  })
  findings!: string[];

  @ApiProperty({ enum: ['unscanned', 'pending', 'clean', 'infected'], description: 'What a scan for malware found' })
  scan_state!: string;
}

/** What the prospect agreed to. */
export class LeadConsentResponse {
  @ApiProperty({ example: '2026-11' })
  text_version!: string;

  @ApiProperty({
    example: 'de-AT',
    description: 'The language of the form, by its `locale` or else by what the browser asked for first',
  })
  locale!: string;

  @ApiProperty({ format: 'date-time' })
  given_at!: string;

  @ApiProperty({ example: '203.0.113.7', description: 'Where the submission came from' })
  ip!: string;
}

export class LeadDetailResponse extends LeadResponse {
  @ApiProperty({
    description: 'The relative storage key of the résumé',
    example: '0d7f7c52-3f6e-4a1c-9f7e-6a1f6f1f2c11_ada_resume.pdf',
  })
  resume_path!: string;

  @ApiProperty({ type: LeadResumeResponse, nullable: true, description: 'null when it was deleted' })
  resume!: LeadResumeResponse | null;

  @ApiProperty({ type: LeadConsentResponse, nullable: true, description: 'null when none was recorded' })
  consent!: LeadConsentResponse | null;

  @ApiProperty({ type: [LeadMailResponse], description: 'What was sent to whom about it, oldest first' })
  mails!: LeadMailResponse[];
}

export class LeadPageResponse extends CursorPageResponse {
  @ApiProperty({ type: [LeadResponse] })
  items!: LeadResponse[];
}

export class LeadStatusChangeResponse {
  @ApiProperty({
    enum: LeadStatus,
    enumName: 'LeadStatus',
    nullable: true,
    description: 'null for the submission itself',
  })
  from_status!: LeadStatus | null;

  @ApiProperty({ enum: LeadStatus, enumName: 'LeadStatus' })
  to_status!: LeadStatus;

  @ApiProperty({ example: 'admin', description: 'User name at that time, or "public"' })
  changed_by!: string;

  @ApiProperty({ format: 'date-time' })
  changed_at!: string;
}

export class LeadStoryResponse {
  @ApiProperty({ type: [LeadStatusChangeResponse] })
  items!: LeadStatusChangeResponse[];
}

// Times are written out here: left to JSON.stringify, Date objects make a page half as dear again.

export function toSubmittedLeadResponse(lead: Lead): SubmittedLeadResponse {
  return {
    id: lead.id,
    first_name: lead.firstName,
    last_name: lead.lastName,
    email: lead.email,
    status: lead.status,
    created_at: lead.createdAt.toISOString(),
    message: 'Lead submitted successfully. Confirmation email sent.',
  };
}

export function toLeadResponse(lead: Lead): LeadResponse {
  return {
    id: lead.id,
    first_name: lead.firstName,
    last_name: lead.lastName,
    email: lead.email,
    status: lead.status,
    created_at: lead.createdAt.toISOString(),
    updated_at: lead.updatedAt.toISOString(),
    reached_out_at: lead.reachedOutAt?.toISOString() ?? null,
  };
}

export function toLeadDetailResponse({ lead, resume, consent, mails, hasMailServer }: LeadDetail): LeadDetailResponse {
  return {
    ...toLeadResponse(lead),
    resume_path: lead.resumePath,
    resume: resume === null ? null : toLeadResumeResponse(resume),
    consent:
      consent === null
        ? null
        : {
            text_version: consent.textVersion,
            locale: consent.locale,
            given_at: consent.givenAt.toISOString(),
            ip: consent.ip,
          },
    mails: mails.map((mail) => toLeadMailResponse(mail, hasMailServer)),
  };
}

function toLeadResumeResponse(file: NonNullable<LeadDetail['resume']>): LeadResumeResponse {
  return {
    original_name: file.originalName,
    media_type: file.mediaType,
    size_bytes: file.sizeBytes,
    findings: file.findings,
    scan_state: file.scanState,
  };
}

export function toLeadStoryResponse(changes: readonly LeadStatusChange[]): LeadStoryResponse {
  return {
    items: changes.map(({ fromStatus, toStatus, changedBy, changedAt }) => ({
      from_status: fromStatus,
      to_status: toStatus,
      changed_by: changedBy,
      changed_at: changedAt.toISOString(),
    })),
  };
}
