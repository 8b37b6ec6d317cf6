import { refusal } from '../common/errors.js';

export class FileUploadFailed extends refusal(400, 'FILE_UPLOAD_FAILED', 'File upload failed') {}
export class FileTooLarge extends refusal(413, 'FILE_TOO_LARGE', 'The file is too large') {}
export class FileTypeNotAllowed extends refusal(415, 'FILE_TYPE_NOT_ALLOWED', 'Files of this type are not accepted') {}
export class FileNotFound extends refusal(404, 'FILE_NOT_FOUND', 'File not found') {}
export class FileUnreadable extends refusal(500, 'FILE_READ_FAILED', 'The file could not be read') {}
export class FileNotStored extends refusal(500, 'FILE_STORAGE_FAILED', 'The file could not be stored') {}
export class FileStorageUnavailable extends refusal(
  503,
  'FILE_STORAGE_UNAVAILABLE',
  'The file storage cannot be reached right now; try again shortly',
) {}
export class FileIntegrityFailed extends refusal(
  500,
  'FILE_INTEGRITY_FAILED',
  'The stored file is not what was uploaded, so it was not sent',
) {}
export class FileKeyMissing extends refusal(500, 'FILE_KEY_MISSING', 'The key of this file is not at hand') {}
export class FileNotReady extends refusal(409, 'FILE_NOT_READY', 'The file cannot be downloaded yet') {}
export class RangeNotSatisfiable extends refusal(416, 'RANGE_NOT_SATISFIABLE', 'The file has no such part') {}
export class FileStorageFull extends refusal(
  503,
  'FILE_STORAGE_FULL',
  'There is no room for files right now; try again later',
) {}
export class FileInfected extends refusal(422, 'FILE_INFECTED', 'The file was refused: it contains malware') {}
export class FileScannerUnavailable extends refusal(
  503,
  'FILE_SCANNER_UNAVAILABLE',
  'Files cannot be checked for malware right now; try again shortly',
) {}
