import { Role } from '../users/role.js';
import { may, Permission, permissionToManage, PUBLIC, SCOPES } from './permissions.js';

type Row = [
  permission: Permission,
  stranger: boolean,
  client: boolean,
  attorney: boolean,
  admin: boolean,
  all: boolean,
];

/** Who may what: the public, a client, an attorney, an admin, a superadmin. */
const TABLE: Row[] = [
  [Permission.LeadsRead, false, false, true, true, true],
  [Permission.LeadsChange, false, false, true, true, true],
  [Permission.LeadsDelete, false, false, false, true, true],
  [Permission.UsersRegister, false, false, false, true, true],
  [Permission.UsersRead, false, false, false, true, true],
  [Permission.UsersChange, false, false, false, true, true],
  [Permission.SessionsRead, false, false, false, true, true],
  [Permission.SessionsEnd, false, false, false, true, true],
  [Permission.AdminsChange, false, false, false, false, true],
  [Permission.FilesInspect, false, false, false, true, true],
  [Permission.FilesQuarantined, false, false, false, true, true],
  [Permission.JobsOperate, false, false, false, true, true],
  [Permission.AuditRead, false, false, false, true, true],
  [Permission.MailRead, false, false, false, true, true],
  [Permission.PrivacyRead, false, false, false, true, true],
  [Permission.PrivacyHold, false, false, false, true, true],
  [Permission.PrivacyErase, false, false, false, false, true],
  [Permission.MailOperate, false, false, false, true, true],
  [Permission.ApiKeysRead, false, false, false, true, true],
  [Permission.ApiKeysRevoke, false, false, false, true, true],
  [Permission.ProfileRead, false, true, true, true, true],
  [Permission.Self, false, true, true, true, true],
];
const HOLDERS = [PUBLIC, Role.Client, Role.Attorney, Role.Admin, Role.Superadmin] as const;

describe('may', () => {
  it.each(TABLE)(
    '%s: the public %s, a client %s, an attorney %s, an admin %s, a superadmin %s',
    (permission, ...row) => {
      expect(HOLDERS.map((holder) => may(holder, permission, false))).toEqual(row);
    },
  );

  it.each(TABLE)('with open registration changes nothing about %s, unless it is registering', (permission, ...row) => {
    const opened = HOLDERS.map((holder) => may(holder, permission, true));

    expect(opened).toEqual(permission === Permission.UsersRegister ? HOLDERS.map(() => true) : row);
  });

  it('is asked about every permission and every role in the table above', () => {
    expect(TABLE.map(([permission]) => permission)).toEqual(Object.values(Permission));
    expect(Object.values(Role)).toEqual(['client', 'attorney', 'admin', 'superadmin']);
  });
});

describe('permissionToManage', () => {
  it('leaves admins and superadmins to superadmins', () => {
    expect(Object.values(Role).map(permissionToManage)).toEqual([
      'users:change',
      'users:change',
      'admins:change',
      'admins:change',
    ]);
  });
});

describe('an API key', () => {
  it('can be given these permissions and no others', () => {
    expect([...SCOPES].sort()).toEqual([
      'audit:read',
      'files:inspect',
      'jobs:operate',
      'leads:change',
      'leads:read',
      'profile:read',
      'users:read',
    ]);
  });
});
