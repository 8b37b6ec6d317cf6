import { Role } from '../users/role.js';

/** Everything that a caller can be allowed to do. */
export enum Permission {
  LeadsRead = 'leads:read',
  LeadsChange = 'leads:change',
  UsersRegister = 'users:register',
  UsersRead = 'users:read',
  UsersChange = 'users:change',
  /** Sessions of others. */
  SessionsRead = 'sessions:read',
  SessionsEnd = 'sessions:end',
  FilesInspect = 'files:inspect',
  /** Files in which malware was found. */
  FilesQuarantined = 'files:quarantined',
  /** Background work and its failures. */
  JobsOperate = 'jobs:operate',
  /** Every message, whoever it is to, and how delivery stands. */
  MailRead = 'mail:read',
  /** Sending again, cancelling, lifting, and test messages. */
  MailOperate = 'mail:operate',
  /** One's own account. */
  Self = 'self',
}

/** Whoever holds no token. */
export const PUBLIC = 'public';

const ATTORNEY = [Permission.Self, Permission.LeadsRead, Permission.LeadsChange];

/** The only place where roles appear. */
const PERMISSIONS: Readonly<Record<Role | typeof PUBLIC, ReadonlySet<Permission>>> = {
  [PUBLIC]: new Set(),
  [Role.Attorney]: new Set(ATTORNEY),
  [Role.Admin]: new Set([
    ...ATTORNEY,
    Permission.UsersRegister,
    Permission.UsersRead,
    Permission.UsersChange,
    Permission.SessionsRead,
    Permission.SessionsEnd,
    Permission.FilesInspect,
    Permission.FilesQuarantined,
    Permission.JobsOperate,
    Permission.MailRead,
    Permission.MailOperate,
  ]),
};

/** Whether a role may; with open registration (development only) everybody may register. */
export function may(role: Role | typeof PUBLIC, permission: Permission, openRegistration: boolean): boolean {
  return PERMISSIONS[role].has(permission) || (openRegistration && permission === Permission.UsersRegister);
}
