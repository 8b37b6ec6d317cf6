import { Injectable } from '@nestjs/common';
import { Announcements } from '../../database/announcements.js';
import { KnownRows } from '../../database/known-rows.js';
import type { ApiKey } from './api-key.entity.js';
import { ApiKeysRepository } from './api-keys.repository.js';

/** The channel on which the database announces each change of a key by its public id (migration 1764000000045). */
const CHANNEL = 'forecourt_api_key_changed';

/** The keys of the last moment, by public id: one indexed query per key and second, none otherwise. */
@Injectable()
export class KnownApiKeys extends KnownRows<ApiKey> {
  constructor(keys: ApiKeysRepository, announcements: Announcements) {
    super(announcements, CHANNEL, (publicId) => keys.findByPublicId(publicId));
  }
}
