"""Text that steers a terminal, and the text to show in its place."""

ODD = "\x1b]0;owned\x07\x1b[31m\n\r\x9b2J\u202egnorw\u2066\x00\x7f\u2028"
SEEN = "\\u001b]0;owned\\u0007\\u001b[31m\\u000a\\u000d\\u009b2J\\u202egnorw\\u2066\\u0000\\u007f\\u2028"
STEERING = {chr(number) for number in [*range(32), *range(0x7F, 0xA0)]} - {"\n"} | set("\u202e\u2066\u2028")
