/** How the API document calls the header that takes an API key. */
export const API_KEY_SCHEME = 'apiKey';
