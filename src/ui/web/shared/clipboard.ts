/* Resolves to whether the text was copied. Browsers have a clipboard for pages of the same host, or with TLS, only:
 * elsewhere a field is copied from. */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  const field = document.createElement("textarea"),
    before = document.activeElement as HTMLElement | null;
  field.value = text;
  field.className = "sr";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (before) before.focus();
  return copied;
}
