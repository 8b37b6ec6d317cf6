import type { OutgoingMail } from '../mail/mail.service.js';
import type { Lead } from './lead.entity.js';

/** What the prospect reads: that the submission arrived, and what happens next. */
export function prospectConfirmation(lead: Lead): OutgoingMail {
  return {
    template: 'prospect_confirmation',
    recipient: lead.email,
    locale: lead.locale,
    data: { prospect_name: lead.fullName, lead_id: lead.id },
  };
}

/** What an attorney reads: who asked for help, and where to find the lead. The résumé is named, never attached. */
export function attorneyNotification(
  lead: Lead,
  attorney: string,
  resumeFilename: string,
  dashboardUrl: string,
): OutgoingMail {
  return {
    template: 'attorney_notification',
    recipient: attorney,
    data: {
      prospect_name: lead.fullName,
      prospect_email: lead.email,
      resume_filename: resumeFilename,
      lead_id: lead.id,
      dashboard_url: `${dashboardUrl}/leads/${lead.id}`,
    },
  };
}
