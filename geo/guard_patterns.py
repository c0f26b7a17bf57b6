"""What personal data looks like, as regular expressions.

They are for texts as `geo.guard_reading` reads them: a hyphen is a hyphen, and U+2013 is any dash. ``geo.guard_screen`` runs
them without what they ask to stand beside a match, over whole columns.
"""

import re
from typing import Final

# A full date this many years old in a note is somebody's birthday rather than an event.
BIRTHDAY_AGE_YEARS: Final = 5

EMAIL: Final = re.compile(
    r"[A-Za-z0-9._%+'\u2013-]+(?:@| @ ?|@ )(?=[A-Za-z0-9\u2013-]*[A-Za-z])[A-Za-z0-9\u2013-]+(?:\.[A-Za-z0-9\u2013-]+)*\.[A-Za-z]{2,}"
)
PHONE: Final = re.compile(
    r"(?<![A-Za-z0-9.])(?:\(?(?:\+|00)[\s.\u2013-]?44[\s.\u2013-]?(?:\(0\)[\s.\u2013-]?)?|\(?0(?!0))(?:[\s().\u2013-]{0,2}\d){9,10}(?!\d)"
)
DECIMAL: Final = re.compile(r"\d*\.\d+")
SPACE: Final = re.compile(r"\s")
# Hashes as references, such as a data.police.uk Crime ID: one in ten thousand begins like a telephone number.
HASH: Final = re.compile(r"(?<![A-Za-z0-9])(?=\d*[A-Fa-f])(?:[0-9a-f]{32,}|[0-9A-F]{32,})(?![A-Za-z0-9])")
TEN_DIGITS: Final = re.compile(r"(?<![A-Za-z0-9+])(?<!\d\.)\d{3}[ \u2013-]?\d{3}[ \u2013-]?\d{4}(?![A-Za-z0-9]|\.\d)")
PUPIL: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]\d{11}[0-9A-Z](?![A-Za-z0-9])")
NI: Final = re.compile(
    r"(?<![A-Za-z0-9])(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ \u2013-]?\d\d){3}[ \u2013-]?[A-D](?![A-Za-z0-9])", re.IGNORECASE
)  # fmt: skip
MONTHS: Final = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
DATE: Final = (
    rf"(?:\d{{1,2}}[/.\u2013\- ]\d{{1,2}}[/.\u2013\- ](?:\d{{4}}|\d{{2}})|\d{{4}}[/.\u2013-]\d{{1,2}}[/.\u2013-]\d{{1,2}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?[\s\u2013-]+(?:{MONTHS})[,\s\u2013-]+(?:\d{{4}}|\d{{2}})|(?:{MONTHS})\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}})"
)
BIRTH_CUE: Final = re.compile(
    rf"(?:\bd\.?\s?o\.?\s?b\b\.?|\bdate\s+of\s+birth\b|\bbirth\s?(?:day|date)\b|\bborn\b|(?<!\w)b\.)"
    rf"(?:\s+(?:is|was|on|in|the))*\s*[:=,\u2013-]?\s*({DATE})(?!\d)", re.IGNORECASE
)  # fmt: skip
FULL_DATE: Final = re.compile(rf"(?<![\w/.-])({DATE})(?![\w/])", re.IGNORECASE)
YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
POSTCODE: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPS-UW]|[A-HK-Y]\d[ABEHMNPRV-Y])\s{0,2}(\d[ABD-HJLNP-UW-Z]{2})|GIR\s?(0AA))"
    r"(?![A-Za-z0-9])", re.IGNORECASE
)  # fmt: skip
ORDINAL: Final = re.compile(r"\d(?:st|nd|rd|th)", re.IGNORECASE)
AT_HANDLE: Final = re.compile(r"(?<![\w.@/])@[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,28}[A-Za-z0-9_])?")
NETWORKS: Final = r"(?:snap\s?chat|snap|insta\s?gram|insta|ig|sc|tik\s?tok|face\s?book|fb|whats\s?app|telegram|discord|twitter|kik|roblox|xbox|psn)"
HANDLE: Final = r"(@?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{1,28}[A-Za-z0-9_]))"
TOLD_HANDLE: Final = re.compile(
    rf"\b{NETWORKS}\b(?:\s+(?:account|profile|user))?(?:\s*[:=(]\s*|\s+[\u2013-]\s+|\s+(?:name|handle|username|id|tag|as|under)\s*(?:is|was|of)?\s*[:=]?\s*){HANDLE}"
    rf"|\b(?:user\s?name|screen\s?name|gamer\s?tag|handle)\s*(?:is|was|of)?\s*[:=]?\s*{HANDLE}", re.IGNORECASE
)  # fmt: skip
MARKED_HANDLE: Final = re.compile(rf"\b{NETWORKS}\b\s+(?:is\s+|was\s+|called\s+)?{HANDLE}", re.IGNORECASE)
# A handle up to its first digit, stroke or stop: a marked one has such a sign.
SIGNED_HANDLE: Final = re.compile(MARKED_HANDLE.pattern.replace(HANDLE, r"@?[A-Za-z-]*[\d_.]"), re.IGNORECASE)
HANDLE_SIGNS: Final = re.compile(r"[A-Za-z].*[\d_.]|[\d_.].*[A-Za-z]")
MARK: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-HJ-PR-Y][A-HJ-PR-Y]\d\d(\s?)([A-HJ-PR-Z]{3})(?![A-Za-z0-9])", re.IGNORECASE
)
OLD_MARK: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-HJ-NPR-TV-Y]\d{3}(\s?)([A-Z]{3})|[A-Z]{3}\s?\d{3}[A-HJ-NPR-TV-Y])(?![A-Za-z0-9])", re.IGNORECASE
)  # fmt: skip

CAPITAL: Final = r"[A-Z\u00c0-\u00de][\w'\u2019-]*"
TITLES: Final = (
    "Mr|Mrs|Ms|Miss|Mx|Dr|Doctor|Prof|Professor|Rev|PCSO|PC|DC|DS|DI|DCI|Det|Sgt|Sergeant|Insp|Inspector|Cllr|Councillor|Nurse"
    "|Uncle|Aunt|Auntie|Officer|Constable"
)
ANY_TITLE: Final = f"(?:{TITLES}|{TITLES.upper()})"
TITLED: Final = re.compile(
    rf"(?<![\w'\u2019])(?:{ANY_TITLE}\b\.?\s+(?:and|AND|&)\s+)?{ANY_TITLE}\b\.?\s+(?:\d{{2,6}}\s+)?"
    rf"((?:[A-Z]\.?\s+){{0,2}}{CAPITAL}(?:\s+{CAPITAL})?)|(?<![\w'\u2019])(?:mr|mrs|ms|dr)\.?\s+([a-z][\w'\u2019-]+)"
)  # fmt: skip
# A name goes on behind a dash that stands for a hyphen.
DASHED_ON: Final = re.compile(rf"(?:\u2013{CAPITAL})+")
TITLED_THINGS: Final = frozenset({"world", "martens", "pepper", "chippy", "whippy"})
