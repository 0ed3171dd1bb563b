export function certificateOf(path: string): Promise<Buffer | null>;
export function answer(path: string, query: URLSearchParams, role: string, body: unknown): unknown;
