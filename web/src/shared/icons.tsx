/** The few drawn signs of the screens; always beside a text, so they are hidden from screen readers. */
import type { ComponentChildren } from "preact";

function Sign({ children, size = 16 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg
      class="sign"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

type Size = { size?: number };

export const Up = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M8 3 13.5 12.5H2.5Z" fill="currentColor" />
  </Sign>
);
export const Down = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M8 13 13.5 3.5H2.5Z" fill="currentColor" />
  </Sign>
);
export const Tick = ({ size }: Size) => (
  <Sign size={size}>
    <path d="m3 8.5 3.2 3.2L13 4.8" />
  </Sign>
);
export const Cross = ({ size }: Size) => (
  <Sign size={size}>
    <path d="m4 4 8 8M12 4l-8 8" />
  </Sign>
);
export const Bang = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M8 3v6M8 12.6v.1" stroke-width="2.2" />
  </Sign>
);
export const Ask = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M5.6 6a2.5 2.5 0 1 1 3.4 2.3c-.7.3-1 .8-1 1.6M8 12.7v.1" />
  </Sign>
);
export const Find = ({ size }: Size) => (
  <Sign size={size}>
    <circle cx="7" cy="7" r="4.3" />
    <path d="m10.3 10.3 3 3" />
  </Sign>
);
export const Phone = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M4.2 2.5 6 2.2l1.2 3-1.4 1.2a8 8 0 0 0 3.8 3.8l1.2-1.4 3 1.2-.3 1.8c-.2.9-1 1.5-1.9 1.4C6.7 12.7 3.3 9.3 2.8 4.400c-.1-.9.5-1.7 1.4-1.900Z" />
  </Sign>
);
export const Go = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M13.5 2.5 2.5 7l4.7 1.800L9 13.500Z" />
  </Sign>
);
export const Back = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M10 3 5 8l5 5" />
  </Sign>
);
export const Next = ({ size }: Size) => (
  <Sign size={size}>
    <path d="m6 3 5 5-5 5" />
  </Sign>
);
export const Wait = ({ size }: Size) => (
  <Sign size={size}>
    <circle cx="8" cy="8" r="5.7" />
    <path d="M8 4.800V8l2.2 1.6" />
  </Sign>
);
export const Paper = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M4 2h5.500L12.5 5v9H4ZM9.3 2v3.200h3.200M6 8.300h4.500M6 10.9h4.5" />
  </Sign>
);
export const Coin = ({ size }: Size) => (
  <Sign size={size}>
    <rect x="1.8" y="4" width="12.4" height="8" rx="1.5" />
    <circle cx="8" cy="8" r="1.8" />
  </Sign>
);
export const Camera = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M2 5h2.800l1-1.700h4.400l1 1.700H14v8H2Z" />
    <circle cx="8" cy="8.7" r="2.3" />
  </Sign>
);
export const Fit = ({ size }: Size) => (
  <Sign size={size}>
    <path d="M2.5 6V2.500H6M10 2.500h3.500V6M13.5 10v3.500H10M6 13.500H2.500V10" />
  </Sign>
);
