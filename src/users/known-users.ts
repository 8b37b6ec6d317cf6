import { Injectable } from '@nestjs/common';
import { Announcements } from '../database/announcements.js';
import { KnownRows } from '../database/known-rows.js';
import type { User } from './user.entity.js';
import { UsersRepository } from './users.repository.js';

/** The channel on which the database announces each change of a user (migration 1764000000001). */
const CHANNEL = 'forecourt_user_changed';

/** The users of the last moment, so that a request with a token need not ask the database who its bearer is. */
@Injectable()
export class KnownUsers extends KnownRows<User> {
  constructor(users: UsersRepository, announcements: Announcements) {
    super(announcements, CHANNEL, (id) => users.findById(id));
  }
}
