import { refusal } from '../common/errors.js';

export class UserNotFound extends refusal(404, 'USER_NOT_FOUND', 'User not found') {}
export class UsernameTaken extends refusal(409, 'USERNAME_DUPLICATE', 'A user with this username already exists') {
  constructor() {
    super({ fieldErrors: { username: ['Username already exists'] } });
  }
}
export class UserEmailTaken extends refusal(409, 'USER_EMAIL_DUPLICATE', 'A user with this email already exists') {
  constructor() {
    super({ fieldErrors: { email: ['Email already exists'] } });
  }
}
export class LastAdmin extends refusal(
  409,
  'LAST_ADMIN',
  'The last active superadmin can be neither disabled nor demoted',
) {}
