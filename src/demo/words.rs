//! What made-up people say, in many languages and scripts, with every kind of character that has
//! ever broken a reader: quotes, backslashes, line breaks, emoji, right-to-left marks, and texts
//! that look like JSON.

/// Sentences with the language that the platform would tell for them.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("en", "The tide came in an hour late today, and nobody on the pier seemed to mind."),
    ("en", "Third attempt at sourdough. It is bread. I refuse further questions."),
    ("en", "Quick poll: is a hot dog & a taco the same thing? <b>No</b> wrong answers > 9000"),
    ("en", "He said \"back in five minutes\" in 2014 \\ we still set a place at the table"),
    ("en", "Notes from the field:\n1. rain\n2. more rain\n3. a very patient heron"),
    ("en", "pasted the wrong thing again: {\"id\": 20, \"id_str\": \"20\", \"text\": \"just\"}"),
    ("en", "why does my log say \"id_str\":\"1234567890123456789\" at 3 a.m.?! }{][ \\\" send tea"),
    ("en", "ok"),
    ("de", "Die Straßenbahn hält heute überall außer an meiner Haltestelle. Schöne Grüße!"),
    ("de", "Käsespätzle um Mitternacht: eine Größe für sich. „Nie wieder“, sagte niemand."),
    ("fr", "L’été dernier, à la bibliothèque, j’ai trouvé un billet de train déjà composté…"),
    ("fr", "Ça y est : le chat a appris à ouvrir la porte. Où cela finira-t-il ?"),
    ("es", "¿Quién más escucha la lluvia con la ventana abierta? ¡Mañana será otro día!"),
    ("pt", "Não é um atraso, é uma pontualidade diferente. Amanhã às oito, então."),
    ("it", "Perché il caffè del lunedì è più corto? Chiedo per un’amica che è già sveglia."),
    ("nl", "De regen begon precies toen de fiets eindelijk gerepareerd was. Klassieker."),
    ("sv", "Ännu en höstdag då paraplyet ligger kvar på bussen. Åh nej, ändå inte!"),
    ("pl", "Źle odłożona książka wraca sama. Tak przynajmniej mówi nasza bibliotekarka."),
    ("tr", "İstanbul'da ışıklar söndü, ığdır'da çay demlendi. Şöyle güzel bir akşam."),
    ("ru", "Сегодня трамвай приехал раньше расписания, и вся остановка зааплодировала."),
    ("uk", "Їжак знову прийшов на ґанок. Пригостили яблуком, ґречно подякував."),
    ("el", "Ο ήλιος βγήκε ακριβώς όταν τελείωσε το διάλειμμα. Ωραία ειρωνεία."),
    ("ar", "القهوة باردة والكتاب ممتع، والمطر لا يتوقف منذ الصباح. يوم جميل رغم كل شيء"),
    ("he", "החתול ישן על המקלדת, לכן התשובה תגיע מחר. סליחה ותודה על ההבנה."),
    ("fa", "کتابخانه امروز تا دیر وقت باز است؛ چای هم هست. می‌آیید؟"),
    ("hi", "आज बाज़ार में आम इतने मीठे थे कि घर पहुँचने से पहले ही ख़त्म हो गए।"),
    ("bn", "বৃষ্টির দিনে খিচুড়ি আর পুরোনো গান, এর চেয়ে ভালো আর কী হতে পারে?"),
    ("th", "วันนี้ฝนตกทั้งวัน แต่ก๋วยเตี๋ยวหน้าปากซอยยังอร่อยเหมือนเดิม"),
    ("ja", "図書館の窓から見える銀杏がやっと色づいた。今年は少し遅い気がする。"),
    ("ja", "電車で隣の人が同じ本を読んでいた。声をかけようか迷って三駅過ぎた。"),
    ("ko", "오늘은 버스가 정각에 왔다. 아무도 믿지 않아서 여기 적어 둔다."),
    ("zh", "今天的云像一只打翻的墨水瓶，过了河就下雨了。伞在办公室里。"),
    ("und", "👩🏽‍🔬🧪➡️📈🎉 👨‍👩‍👧‍👦 🇺🇳 ❤️‍🔥 #️⃣ 1️⃣"),
    ("und", "\u{202e}desrever\u{202c} \u{200b}\u{feff}\u{2028}\u{2029} ʕ•ᴥ•ʔ ¯\\_(ツ)_/¯ \t\u{7f}"),
];

/// Words behind a `#`.
pub(super) const TAGS: &[&str] = &[
    "FieldNotes",
    "harbour",
    "Käse",
    "été",
    "図書館",
    "비",
    "مطر",
    "дождь",
    "mañana",
    "OpenData",
    "sourdough",
    "tram42",
];

/// Where people say that they live.
pub(super) const LOCATIONS: &[&str] = &[
    "",
    "Port Quillon",
    "between two stops of tram 42",
    "Þórsvík",
    "みどりヶ丘",
    "Ægirholm, 3rd floor",
    "somewhere \"nice\"",
    "📍 Lake Orrin",
];

/// Programs that the tweets are sent from; (name, address).
pub(super) const PROGRAMS: &[(&str, &str)] = &[
    ("Pelican for Desktop", "https://pelican.example/desktop"),
    ("Harbour Web App", "https://harbour.example"),
    ("Kestrel for Pocket", "http://kestrel.example/#!/download/pocket"),
];

/// Syllables of made-up names.
pub(super) const SYLLABLES: &[&str] = &[
    "an", "bel", "cor", "dra", "el", "fen", "gor", "hal", "il", "jor", "ka", "lum", "mi", "nor",
    "os", "pel", "quil", "ras", "sel", "tor", "ul", "ven", "wy", "xan", "yel", "zor",
];

/// What people add to their names.
pub(super) const ORNAMENTS: &[&str] = &["", "", "", " 🌊", " (she/her)", " 日", " ✨✨", " نور"];
