/** `link` in ASCII when it is safe to show: of the web, and without white space; else null. */
export function webLink(link: string | null): string | null {
  if (link === null || !/^https?:\/\/\S+$/i.test(link) || !URL.canParse(link)) return null;
  return new URL(link).href;
}
