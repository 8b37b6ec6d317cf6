/**
 * What somebody is to the practice. What a role may do stands in auth/permissions.ts and nowhere else. In the order of the
 * database's type.
 */
export enum Role {
  Client = 'client',
  Attorney = 'attorney',
  Admin = 'admin',
  Superadmin = 'superadmin',
}
