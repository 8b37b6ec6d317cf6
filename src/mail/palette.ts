/** Colours that go with a colour of the practice, all as #rrggbb. */
export interface Palette {
  readonly color: string;
  /** Text on the colour. */
  readonly ink: string;
  /** The colour as text on white, or nearly black where it would be too pale to read. */
  readonly link: string;
  /** Background and border of a box in a breath of the colour. */
  readonly tint: string;
  readonly edge: string;
}

type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const NEARLY_BLACK = '#1b2230';
/** Of normal text on its background, at level AA (WCAG 2.2, 1.4.3). */
const LEAST_CONTRAST = 4.5;

export function paletteOf(color: string): Palette {
  const rgb = rgbOf(color);
  const carriesWhite = contrastWithWhite(rgb) >= LEAST_CONTRAST;
  return {
    color,
    ink: carriesWhite ? '#ffffff' : NEARLY_BLACK,
    link: carriesWhite ? color : NEARLY_BLACK,
    tint: mixedWithWhite(rgb, 0.07),
    edge: mixedWithWhite(rgb, 0.28),
  };
}

function rgbOf(color: string): Rgb {
  const channel = (at: number): number => Number.parseInt(color.slice(at, at + 2), 16);
  return [channel(1), channel(3), channel(5)];
}

function mixedWithWhite(rgb: Rgb, share: number): string {
  const mixed = rgb.map((channel, at) => Math.round(channel * share + (WHITE[at] ?? 0) * (1 - share)));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

function contrastWithWhite(rgb: Rgb): number {
  return 1.05 / (luminance(rgb) + 0.05);
}

/** Relative luminance (WCAG 2.2, definitions). */
function luminance([red, green, blue]: Rgb): number {
  const linear = (channel: number): number => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
