import { Role } from '../users/role.js';

/** Everything that a caller can be allowed to do. */
export enum Permission {
  LeadsRead = 'leads:read',
  LeadsChange = 'leads:change',
  /** With everything that belongs to it. */
  LeadsDelete = 'leads:delete',
  UsersRegister = 'users:register',
  UsersRead = 'users:read',
  /** Accounts of clients and attorneys. */
  UsersChange = 'users:change',
  /** Sessions of others. */
  SessionsRead = 'sessions:read',
  SessionsEnd = 'sessions:end',
  /** Accounts of admins and superadmins; asked for inside of the routes of users. */
  AdminsChange = 'admins:change',
  FilesInspect = 'files:inspect',
  /** Files in which malware was found. */
  FilesQuarantined = 'files:quarantined',
  /** Background work and its failures. */
  JobsOperate = 'jobs:operate',
  /** The record of who did, saw and took what. */
  AuditRead = 'audit:read',
  /** Every message, whoever it is to, and how delivery stands. */
  MailRead = 'mail:read',
  /** Everything that is known of a person, and who was forgotten. */
  PrivacyRead = 'privacy:read',
  /** Legal holds. */
  PrivacyHold = 'privacy:hold',
  /** Forgetting a person for good. */
  PrivacyErase = 'privacy:erase',
  /** Sending again, cancelling, lifting, and test messages. */
  MailOperate = 'mail:operate',
  /** Keys of others. */
  ApiKeysRead = 'api_keys:read',
  ApiKeysRevoke = 'api_keys:revoke',
  /** To see who one is. */
  ProfileRead = 'profile:read',
  /** One's own account: its password, sessions, keys and whatever else signs in. */
  Self = 'self',
}

/** Whoever holds no token. */
export const PUBLIC = 'public';

const CLIENT = [Permission.Self, Permission.ProfileRead];

const ATTORNEY = [...CLIENT, Permission.LeadsRead, Permission.LeadsChange];

const ADMIN = [
  ...ATTORNEY,
  Permission.LeadsDelete,
  Permission.UsersRegister,
  Permission.UsersRead,
  Permission.UsersChange,
  Permission.SessionsRead,
  Permission.SessionsEnd,
  Permission.FilesInspect,
  Permission.FilesQuarantined,
  Permission.JobsOperate,
  Permission.AuditRead,
  Permission.MailRead,
  Permission.MailOperate,
  Permission.ApiKeysRead,
  Permission.ApiKeysRevoke,
  Permission.PrivacyRead,
  Permission.PrivacyHold,
];

/** The only place where roles appear. */
const PERMISSIONS: Readonly<Record<Role | typeof PUBLIC, ReadonlySet<Permission>>> = {
  [PUBLIC]: new Set(),
  [Role.Client]: new Set(CLIENT),
  [Role.Attorney]: new Set(ATTORNEY),
  [Role.Admin]: new Set(ADMIN),
  [Role.Superadmin]: new Set([...ADMIN, Permission.AdminsChange, Permission.PrivacyErase]),
};

/** Whether a role may; with open registration (development only) everybody may register. */
export function may(role: Role | typeof PUBLIC, permission: Permission, openRegistration: boolean): boolean {
  return PERMISSIONS[role].has(permission) || (openRegistration && permission === Permission.UsersRegister);
}

/**
 * What an API key can be given, if its owner may it. Never what gets further than the key itself: accounts, sessions, keys, one's
 * own password and factors; nor mail, whose previews show links that sign somebody in; nor malware.
 */
export const SCOPES: ReadonlySet<Permission> = new Set([
  Permission.LeadsRead,
  Permission.LeadsChange,
  Permission.UsersRead,
  Permission.FilesInspect,
  Permission.JobsOperate,
  Permission.AuditRead,
  Permission.ProfileRead,
]);

/** What it takes to make, change or end an account of this role. */
export function permissionToManage(role: Role): Permission {
  return role === Role.Admin || role === Role.Superadmin ? Permission.AdminsChange : Permission.UsersChange;
}

/** What those are registered as who register themselves, or are registered without a word about their role. */
export const REGISTERED_AS = Role.Attorney;

/**
 * Whom an invitation can be for. Not for admins: the link lies in a mail, which others than its reader may see on its way; a
 * superadmin promotes whoever has accepted.
 */
export const INVITABLE: readonly Role[] = [Role.Client, Role.Attorney];

/**
 * Who signs in by mailed link alone. Not the staff: they see what others confided, so whoever reads their mail must need a
 * password as well.
 */
export function maySignInByLink(role: Role): boolean {
  return role === SIGNED_UP_AS;
}

/**
 * How records name an account. Records stay, and a client may ask to be forgotten: so they have a client's id alone, as a user
 * name would tell who it was.
 */
export function nameOnRecord({
  id,
  role,
  username,
}: {
  readonly id: string;
  readonly role: Role;
  readonly username: string;
}): string {
  return role === Role.Client ? `client ${id.slice(0, 8)}` : username;
}

/** What those are who make their account with a mailed link. */
export const SIGNED_UP_AS = Role.Client;

/** What the first account of an installation is. */
export const FIRST_ACCOUNT = Role.Superadmin;
