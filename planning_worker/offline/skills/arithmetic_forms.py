"""The tables of arithmetic in words: words that become symbols, and whole phrases that become expressions."""

THAT = "§"
FUNCTIONS = "sqrt|cbrt|median|gcd|lcm|avg|abs|factorial|round|floor|ceil|log|ln|exp|sin|cos|tan|min|max"
A = rf"(?:{THAT}|-?\d+(?:\.\d+)?%?|(?:{FUNCTIONS})?\([^()]*\))"
X, Y = r"(?P<x>.+?)", r"(?P<y>.+)"
# Each turns words into symbols; applied in this order, again and again until nothing changes.
REWRITES: list[tuple[str, str]] = [
    (
        r"^(?:how )?(?:many )?times (?:does |can |will |do |would )?(\S+) (?:go|goes|fit|fits|divide) "
        r"(?:in )?(?:in|into|to) (\S+)$",
        r"\2 / \1",
    ),
    (r"\bby (?:an? |1 )?half$", "by 50%"),
    (r"\bby (?:an? |1 )?quarter$", "by 25%"),
    (r"\bby (?:an? |1 )?fifth$", "by 20%"),
    (r"\bby (?:an? |1 )?tenth$", "by 10%"),
    (r"\b(?:per cent|percent|pct)\b", "%"),
    (r"(?<=\d) %", "%"),
    (r"\b(?:take )?(?:the )?(?:square root|sqrt|root)(?: of)? (" + A + ")", r"sqrt(\1)"),
    (r"\b(?:take )?(?:the )?(?:cube root|cubic root|cbrt)(?: of)? (" + A + ")", r"cbrt(\1)"),
    (r"\b(?:the )?factorial of (\d+)", r"factorial(\1)"),
    (r"\b(\d+) factorial\b", r"factorial(\1)"),
    (r"\b(?:the )?absolute value of (" + A + ")", r"abs(\1)"),
    (r"\b(?:the )?square of (" + A + ")", r"\1^2"),
    (r"\b(?:the )?cube of (" + A + ")", r"\1^3"),
    (r"(" + A + r") squared\b", r"\1^2"),
    (r"(" + A + r") cubed\b", r"\1^3"),
    (r"(?:\braised )?to the power (?:of )?(?=[\d§(])", "^ "),
    (r"(?:\braised )?to the (\d+)(?:st|nd|rd|th) power", r"^ \1"),
    (r"(" + A + ") more than (" + A + ")", r"\2 + \1"),
    (r"(" + A + ") (?:less|fewer) than (" + A + ")", r"\2 - \1"),
    (rf"\b(?:the )?(?:sum|total) of ({A}) and ({A})(?! and|,)", r"(\1 + \2)"),
    (rf"\b(?:the )?product of ({A}) and ({A})(?! and|,)", r"(\1 * \2)"),
    (rf"\b(?:the )?difference (?:between|of) ({A}) and ({A})(?! and|,)", r"abs(\1 - \2)"),
    (rf"\b(?:the )?(?:average|mean) of ({A}) and ({A})(?! and|,)", r"avg(\1, \2)"),
    (rf"({A}) (?:multiplied by|times) itself", r"\1 ^ 2"),
    (
        r"^(?:and |then )?of (?:§|that|it|this),? (?:take )?((?:an? |one |two |three )?(?:half|third|"
        r"quarter|fifth|tenth)s?)$",
        r"\1 of §",
    ),
    (r"^(?:and |then )?of (?:§|that|it|this),? (?:take )?([\d.]+ ?%)$", r"\1 of §"),
    (r"^times (?:§ )?(?:by )?(?=[\d(])", "§ * "),
    (r"\bto the power (?=[\d§(])", "^ "),
    (r"\b(?:the )?log(?:arithm)?(?: to)?(?: the)? base (\d+) of (" + A + ")", r"(log(\2) / log(\1))"),
    (r"\b(?:the )?(?:natural log(?:arithm)?|ln) (?:of )?(" + A + ")", r"ln(\1)"),
    (r"\b(?:the )?log(?:arithm)?(?: of)? (?=\d)(" + A + ")", r"log(\1)"),
    (r"\b(?:the )?(?:sine|sin) of (" + A + ")", r"sin(\1)"),
    (r"\b(?:times|multiplied) by\b", "*"),
    (r"\b(?:div|divided)(?: by)?(?= [\d§(])", "/"),
    (r"\b(?:subtracted|taken(?: away)?) from (?=\d)", " less-from "),
    (r"(" + A + r")  ?less-from (" + A + ")", r"\2 - \1"),
    (r"^squared$", "square"),
    (r"^cubed$", "cube it"),
    (r"\b(?:added to|plus)\b", "+"),
    (r"\b(?:minus|less)\b", "-"),
    (r"\b(?:multiplied by|times)\b", "*"),
    (r"\b(?:divided by|over)\b", "/"),
    (r"\b(?:modulo|mod)\b", " % "),
]
COMMA = r"(?:\s*,\s*(?:and |or |& )?|\s+(?:and|or|&)\s+)"
_LIST = rf"(?P<x>{A}(?:{COMMA}{A})+)"
_ONE = r" ?(?:numbers?|values?|ones?|figures?)? ?"
_THESE = r"(?: (?:these|the|the following|following)?(?: numbers?| values?| figures?)?:?)?"
CONTINUED = THAT + " {y}"
# Whole-clause forms: (pattern, expression with {x} and {y}).
FORMS: list[tuple[str, str]] = [
    (rf"(?:increase|raise|grow|bump|mark up|up) {X} by (?P<y>[\d.]+%)", "{x} + {y}"),
    (rf"(?:decrease|reduce|lower|cut|discount|drop|shrink|mark down) {X} by (?P<y>[\d.]+%)", "{x} - {y}"),
    (rf"(?:increase|raise) {X} by {Y}", "{x} + {y}"),
    (rf"(?:decrease|reduce|lower) {X} by {Y}", "{x} - {y}"),
    (rf"{X} (?:increased|raised) by {Y}", "{x} + {y}"),
    (rf"{X} (?:decreased|reduced|lowered|discounted) by {Y}", "{x} - {y}"),
    (r"(?:increase|raise) by (?P<y>.+)", THAT + " + {y}"),
    (r"(?:decrease|reduce|lower) by (?P<y>.+)", THAT + " - {y}"),
    (
        rf"(?:take |knock )?(?P<y>[\d.]+%) (?:off|discount on|discount off)(?: of)? {X}".replace("?P<x>.+?", "?P<x>.+"),
        "{x} - {y}",
    ),
    (rf"{X} (?:with|at|after) (?:a |an )?(?P<y>[\d.]+%) (?:off|discount|reduction)", "{x} - {y}"),
    (rf"{X} (?:with|plus|\+) (?:a |an )?(?P<y>[\d.]+%) (?:tip|tax|vat|markup|interest)", "{x} + {y}"),
    (
        rf"(?:a )?(?P<y>[\d.]+%) (?:tip|tax|vat|commission|discount) (?:on|of|for) {X}".replace("?P<x>.+?", "?P<x>.+"),
        "{y} of {x}",
    ),
    (rf"(?:what )?(?:percentage|%|percent)(?: of)? {X} (?:is|are|does|makes?) {Y}", "{y} / {x} * 100"),
    (rf"(?:the )?(?:percentage|percent|%) (?:is|are|of) {X} (?:out )?(?:of|from|in) {Y}", "{x} / {y} * 100"),
    (rf"(?:express |write )?{X} as (?:a |an )?(?:percentage|percent|%) of {Y}", "{x} / {y} * 100"),
    (rf"{X} is (?P<y>[\d.]+%) of (?:what|which)(?: number)?", "{x} / {y}"),
    (
        r"(?:what number is |of (?:what|which)(?: number)? is )?(?P<x>[\d.]+) (?P<y>[\d.]+%) of (?:what|"
        r"which)(?: number)?",
        "{x} / {y}",
    ),
    (r"(?P<x>.+?) (?:written |expressed )?(?:as|in|into|to) (?:a )?decimals?", "{x}"),
    (
        rf"(?:add|sum|total|tot)(?: up)? (?:these|them|those|the following)(?: numbers| up| together| for "
        rf"me)*:? {_LIST}",
        "{list+}",
    ),
    (rf"{Y} (?:expressed )?as (?:a |an )?(?:percentage|percent|%)", "{y} * 100"),
    (
        r"(?:a )?(?P<y>[\d.]+%) (?:markup|mark-up|mark up|surcharge|uplift|increase|rise|raise) (?:on|of|to|for|in)"
        r" (?:a (?:cost|price|salary|pay|total) of )?(?P<x>.+)",
        "{x} + {y}",
    ),
    (
        r"(?:a )?(?P<y>[\d.]+%) (?:decrease|drop|cut|reduction|markdown|fall) (?:on|of|to|for|in|from)"
        r" (?:a (?:cost|price|salary|pay|total) of )?(?P<x>.+)",
        "{x} - {y}",
    ),
    (
        rf"{X} (?:rounded |round )?(?:off )?to (?P<y>\d) (?:decimal places?|decimals?|dp|d\.p\.|places)",
        "round({x}, {y})",
    ),
    (
        rf"(?:round|rounding)(?: off)? {X} to (?P<y>\d) (?:decimal places?|decimals?|dp|d\.p\.|places)",
        "round({x}, {y})",
    ),
    (
        r"(?:round|rounded|rounding)(?: off)?(?: §)?(?: off)? to (?P<y>\d) (?:decimal places?|decimals?|dp|" r"places)",
        "round(§, {y})",
    ),
    (
        r"(?:round|rounded|rounding)(?: off)?(?: §)?(?: off)? to the nearest (?:whole number|integer|1|" r"whole)",
        "round(§)",
    ),
    (rf"(?:how )?(?:much|many) (?:more|bigger|larger|greater|higher) is {X} than {Y}", "{x} - {y}"),
    (rf"(?:how )?(?:much|many) (?:less|smaller|lower|fewer) is {X} than {Y}", "{y} - {x}"),
    (
        r"(?:compound )?(?P<x>[\d.]+) (?:invested |compounded |saved |growing )?at (?P<y>[\d.]+)% (?:a "
        r"year |per year |yearly |annual |per annum )?(?=.*compound|.*for)(?:interest )?(?:compounded "
        r")?(?:annually |yearly |each year )?(?:for|over|after) (?P<n>\d+) years?(?: compounded(?: "
        r"annually| yearly)?| compound(?: interest)?)?",
        "{x} * (1 + {y}/100)^{n}",
    ),
    (rf"(?:round|rounding)(?: off)? {X} to the nearest (?:whole number|integer|1|whole)", "round({x})"),
    (rf"(?:round|rounding)(?: off)? {X} to the nearest (?P<y>10+|5)(?:s|th)?", "round({x} / {y}) * {y}"),
    (rf"{X} (?:is|as|are) (?:what|which|a|the) (?:percentage|%|percent) of {Y}", "{x} / {y} * 100"),
    (rf"{X} out of {Y} (?:as|in) (?:a |an )?(?:percentage|%|percent)", "{x} / {y} * 100"),
    (rf"(?:the )?remainder (?:of|when|if) (?:you divide )?{X} (?:is )?(?:/|by) {Y}", "{x} % {y}"),
    (rf"(?:the )?(?:average|mean|arithmetic mean)(?: value)?(?: of| for| between)?{_THESE} {_LIST}", "avg({list})"),
    (rf"(?:the )?(?:sum|total)(?: of| for)?{_THESE} {_LIST}", "{list+}"),
    (
        rf"(?:do |does |if you add |if i add )?{_LIST} (?:add up to|sum to|sum up to|come to|total|added "
        rf"together|added up|together|make)(?: what)?",
        "{list+}",
    ),
    (rf"(?:the )?sum of {X} and {Y}", "{x} + {y}"),
    (rf"(?:the )?product of {_LIST}", "{list*}"),
    (
        rf"(?:the )?(?:largest|biggest|maximum|max|greatest|highest) {_ONE}(?:of|among|out of|from|in|"
        rf"between){_THESE} {_LIST}",
        "max({list})",
    ),
    (
        rf"which (?:number |one |of these )?is (?:the )?(?:bigger|larger|greater|more|largest|biggest|"
        rf"greatest|highest)\W+{_LIST}",
        "max({list})",
    ),
    (rf"which (?:number |one |of these )?is (?:the )?(?:smaller|less|lower|smallest|lowest)\W+{_LIST}", "min({list})"),
    (rf"(?:the )?median(?: value)?(?: of| for){_THESE} {_LIST}", "median({list})"),
    (
        rf"(?:the )?(?:greatest common (?:divisor|factor)|highest common factor|gcd|hcf|gcf)(?: of| for)? " rf"{_LIST}",
        "gcd({list})",
    ),
    (
        rf"(?:the )?(?:least|lowest|smallest) common (?:multiple|denominator)(?: of| for)? {_LIST}|(?:the "
        rf")?lcm(?: of| for)? {_LIST.replace('P<x>', 'P<y>')}",
        "lcm({list})",
    ),
    (
        rf"(?:the )?(?:smallest|minimum|min|least|lowest) {_ONE}(?:of|among|out of|from|in|between){_THESE} "
        rf"{_LIST}",
        "min({list})",
    ),
    (rf"(?:the )?difference (?:between|of) {X} and {Y}", "abs({x} - {y})"),
    (rf"(?:the )?(?:quotient|ratio) of {X} (?:and|to|by) {Y}", "{x} / {y}"),
    (rf"(?:add|add up|sum|sum up|total|adding) {_LIST}(?: together| up)?", "{list+}"),
    (r"(?:add|adding) (?P<y>.+?) (?:to|onto) (?P<x>.+)", "{x} + {y}"),
    (rf"(?:add|adding)(?: another| on)? {Y}", THAT + " + {y}"),
    (r"(?:subtract|take away|take|deduct|remove|subtracting) (?P<y>.+?) (?:from|off|away from) (?P<x>.+)", "{x} - {y}"),
    (rf"(?:subtract|take away|take off|knock off|deduct|remove|subtracting) {Y}", THAT + " - {y}"),
    (rf"(?:multiply|multiplying) {X} (?:by|and|with) {Y}", "{x} * {y}"),
    (rf"(?:multiply|multiplying) (?:by )?{Y}", THAT + " * {y}"),
    (
        rf"(?:divide|split|dividing) {X} (?:by|into|between|among) {Y}(?: (?:equal )?(?:parts|ways|" rf"people))",
        "{x} / {y}",
    ),
    (rf"(?:divide|split|dividing) {X} (?:by|between|among) {Y}", "{x} / {y}"),
    (rf"(?:divide|dividing) (?:by )?{Y}", THAT + " / {y}"),
    (rf"(?:raise|raising) {X} \^ {Y}", "{x} ^ {y}"),
    (rf"(?:square|squaring) {X}".replace(".+?", ".+"), "{x}^2"),
    (rf"(?:cube|cubing) {X}".replace(".+?", ".+"), "{x}^3"),
    (rf"(?:halve|halving) {X}".replace(".+?", ".+"), "{x} / 2"),
    (r"halve|halving", THAT + " / 2"),
    (rf"(?:multiplying|multiply) {X} (?:by|and|with) {Y}", "{x} * {y}"),
    (r"square(?: the result)?", THAT + "^2"),
    (r"(?:take )?(?:the |its )?(?:square root|sqrt)", f"sqrt({THAT})"),
    (r"(?:take )?(?:the |its )?cube root", f"cbrt({THAT})"),
    (r"negate", f"-{THAT}"),
    (
        r"(?:how (?:much|many) )?(?:is )?(?P<y>[\d.]+%) off(?: of)? (?:a |an )?(?P<x>[\d.]+)(?: item| " r"purchase)?",
        "{x} - {y}",
    ),
    (r"(?P<y>[*/^+-] .+)", CONTINUED),
]
