"""How the terminal client looks: styles by the classes that `render`, `page` and `blocks` name."""

from prompt_toolkit.styles import Style

STYLE = Style.from_dict(
    {
        "header": "reverse bold",
        "system-header": "reverse bold ansiyellow",
        "system": "bold ansiyellow",
        "waiting": "ansiyellow",
        "chat": "",
        "open": "bold ansicyan",
        "unread": "bold",
        "count": "bold ansiyellow",
        "contact": "ansiyellow",
        "time": "ansibrightblack",
        "day": "ansibrightblack",
        "new": "ansired",
        "present": "ansigreen",
        "own": "bold ansicyan",
        "peer": "bold ansigreen",
        "read": "ansicyan",
        "alert": "ansiyellow",
        "notice": "ansibrightblue",
        "help": "",
        "verify": "bold ansicyan",
        "picture": "bg:ansiwhite fg:ansiblack",
        "error": "ansired",
        "alarm": "bold ansibrightred",
        "alarm-banner": "reverse bold ansired",
        "unlocked": "ansigreen",
        "typing": "italic ansibrightblack",
        "banner": "ansiyellow",
        "online": "reverse ansigreen",
        "offline": "reverse ansiyellow",
        "status": "reverse",
    }
)
