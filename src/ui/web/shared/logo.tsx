export function Logo({ pale = false }: { pale?: boolean }) {
  const opacity = pale ? [0.55, 0.4, 0.3] : [1, 1, 1];
  return (
    <svg class={pale ? "ember" : ""} viewBox="0 0 24 24" aria-hidden="true">
      <rect x="2" y="16" width="20" height="5" rx="1" fill="#b5371c" opacity={opacity[0]} />
      <rect x="4" y="10" width="13" height="5" rx="1" fill="#e2632b" opacity={opacity[1]} />
      <rect x="6" y="4" width="6" height="5" rx="1" fill="#f5a83d" opacity={opacity[2]} />
    </svg>
  );
}
