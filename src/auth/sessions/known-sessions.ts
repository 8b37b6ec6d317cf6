import { Injectable } from '@nestjs/common';
import { Announcements } from '../../database/announcements.js';
import { KnownRows } from '../../database/known-rows.js';
import type { Session } from './session.entity.js';
import { SessionsRepository } from './sessions.repository.js';

/** The channel on which the database announces the end of each session (migration 1764000000028). */
const CHANNEL = 'forecourt_session_changed';

/** The sessions of the last moment: one indexed query per session and second, none otherwise. */
@Injectable()
export class KnownSessions extends KnownRows<Session> {
  constructor(sessions: SessionsRepository, announcements: Announcements) {
    super(announcements, CHANNEL, (id) => sessions.findById(id));
  }
}
