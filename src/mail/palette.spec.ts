import { paletteOf } from './palette.js';

describe('the palette of a colour', () => {
  it.each([
    ['#1d4ed8', '#ffffff'],
    ['#15803d', '#ffffff'],
    ['#000000', '#ffffff'],
    // 4.54 : 1 and 4.48 : 1 on white
    ['#767676', '#ffffff'],
    ['#777777', '#1b2230'],
    ['#facc15', '#1b2230'],
    ['#ffffff', '#1b2230'],
  ])('%s carries text in %s', (color, ink) => {
    expect(paletteOf(color).ink).toBe(ink);
  });

  it('writes links in the colour where it can be read on white, and nearly black where it cannot', () => {
    expect([paletteOf('#1d4ed8').link, paletteOf('#facc15').link]).toEqual(['#1d4ed8', '#1b2230']);
  });

  it('has boxes in a breath of the colour', () => {
    expect(paletteOf('#000000')).toMatchObject({ color: '#000000', tint: '#ededed', edge: '#b8b8b8' });
    expect(paletteOf('#ff0000')).toMatchObject({ tint: '#ffeded', edge: '#ffb8b8' });
  });
});
