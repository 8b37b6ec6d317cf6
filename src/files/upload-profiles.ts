import { RESUME_TYPES } from './file-types.js';
import type { UploadProfile } from './upload.js';

/** The résumé of the public form. */
export const RESUME: UploadProfile = { field: 'resume', types: RESUME_TYPES };
