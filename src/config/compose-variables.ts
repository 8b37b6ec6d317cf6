/** What `compose.yaml` reads of .env beside the settings of Forecourt: what it is for, and how it stands in .env.example. */
export const COMPOSE_VARIABLES: Readonly<Record<string, { readonly doc: string; readonly value: string }>> = {
  POSTGRES_PASSWORD: {
    doc: 'password of the PostgreSQL beside the application, letters and digits only; make one with: openssl rand -hex 24',
    value: '',
  },
  COMPOSE_PROFILES: {
    doc: 'what else runs beside it, separated by commas: mail (a catcher, for trials), tls (Caddy with a certificate), clamav',
    value: 'mail',
  },
  SITE_ADDRESS: {
    doc: 'name of this site, such as intake.example.com, that the profile tls gets a certificate for',
    value: '',
  },
};
