import { describe, expect, test } from 'vitest';
import { csvRecord } from '../../src/http/csv.js';
import { html } from '../../src/http/html.js';

describe('a CSV record', () => {
  test('quotes what RFC 4180 has quoted, and ends its line', () => {
    expect(csvRecord(['plain', 'a,b', 'say "hi"', 'two\r\nlines', undefined, 7])).toBe(
      'plain,"a,b","say ""hi""","two\r\nlines",,7\r\n',
    );
  });

  test.each(['=1+1', '+cmd', '-cmd', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '-', '+1'])(
    'shows %j as text, and never runs it',
    (text) => {
      expect(csvRecord([text])).toBe(`"'${text}"\r\n`);
    },
  );

  test.each(['-12.50', '0', '12', '-1'])('leaves the number %s a number', (text) => {
    expect(csvRecord([text])).toBe(`${text}\r\n`);
  });
});

describe('a page', () => {
  test('shows whatever is put in as text', () => {
    const bad = `<script>alert("1")</script>'&`;
    expect(html`<p title="${bad}">${[html`<b>${bad}</b>`]}</p>`.text).toBe(
      '<p title="&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;">' +
        '<b>&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;</b></p>',
    );
  });
});
