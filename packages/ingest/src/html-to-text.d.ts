declare module "html-to-text" {
  interface Selector {
    readonly selector: string;
    readonly format?: string;
    readonly options?: Readonly<Record<string, unknown>>;
  }
  interface ConvertOptions {
    readonly wordwrap?: number | false;
    readonly limits?: Readonly<Record<string, unknown>>;
    readonly selectors?: readonly Selector[];
  }
  /** A converter from HTML to text with fixed options. */
  export function compile(options: ConvertOptions): (html: string) => string;
}
