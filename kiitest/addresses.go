package kiitest

import (
	"strings"
	"unicode/utf8"
)

// An address names one account: the value of a kind is taken once in an app.
type address struct {
	kind  string
	value string // of a phone: the international number
}

const (
	kindEmail     = "EMAIL"
	kindPhone     = "PHONE"
	kindLoginName = "LOGIN_NAME"
)

// parseAddress reads TYPE:address.
func parseAddress(text string) (address, bool) {
	kind, value, found := strings.Cut(text, ":")
	if !found {
		return address{}, false
	}
	switch kind {
	case kindEmail, kindLoginName:
		return address{kind, value}, true
	case kindPhone:
		number, ok := international(value)
		return address{kind, number}, ok
	}
	return address{}, false
}

// bareAddress reads an address without its type, as a login takes it.
func bareAddress(text string) address {
	switch {
	case strings.Contains(text, "@"):
		return address{kindEmail, text}
	case strings.HasPrefix(text, "+"):
		return address{kindPhone, text}
	default:
		return address{kindLoginName, text}
	}
}

// anyAddress reads an address with or without its type.
func anyAddress(text string) address {
	if a, ok := parseAddress(text); ok {
		return a
	}
	return bareAddress(text)
}

// international turns +819012341234, JP-09012341234 and JP-9012341234 into the first.
func international(phone string) (string, bool) {
	if strings.HasPrefix(phone, "+") {
		return phone, validPhone(phone)
	}
	country, local, found := strings.Cut(phone, "-")
	code := callingCode(country)
	if !found || code == "" {
		return "", false
	}
	if keepsZero := country == "IT" || country == "SM" || country == "VA"; !keepsZero {
		local = strings.TrimPrefix(local, "0") // the prefix of a call inside the country
	}
	number := "+" + code + local
	return number, validPhone(number)
}

// callingCode returns the telephone code of an ISO 3166 country; empty: unknown.
func callingCode(country string) string {
	const codes = " AD376 AE971 AF93 AL355 AM374 AO244 AR54 AT43 AU61 AZ994 BA387 BD880 BE32 BF226 BG359 BH973 BI257 BJ229 BN673" +
		" BO591 BR55 BT975 BW267 BY375 BZ501 CA1 CD243 CF236 CG242 CH41 CI225 CL56 CM237 CN86 CO57 CR506 CU53 CV238 CY357 CZ420" +
		" DE49 DJ253 DK45 DZ213 EC593 EE372 EG20 ER291 ES34 ET251 FI358 FJ679 FR33 GA241 GB44 GE995 GH233 GM220 GN224 GQ240" +
		" GR30 GT502 GW245 GY592 HK852 HN504 HR385 HT509 HU36 ID62 IE353 IL972 IN91 IQ964 IR98 IS354 IT39 JO962 JP81 KE254" +
		" KG996 KH855 KM269 KP850 KR82 KW965 KZ7 LA856 LB961 LI423 LK94 LR231 LS266 LT370 LU352 LV371 LY218 MA212 MC377 MD373" +
		" ME382 MG261 MK389 ML223 MM95 MN976 MO853 MR222 MT356 MU230 MV960 MW265 MX52 MY60 MZ258 NA264 NE227 NG234 NI505 NL31" +
		" NO47 NP977 NZ64 OM968 PA507 PE51 PG675 PH63 PK92 PL48 PT351 PY595 QA974 RO40 RS381 RU7 RW250 SA966 SB677 SC248 SD249" +
		" SE46 SG65 SI386 SK421 SL232 SM378 SN221 SO252 SR597 SS211 ST239 SV503 SY963 SZ268 TD235 TG228 TH66 TJ992 TL670 TM993" +
		" TN216 TO676 TR90 TW886 TZ255 UA380 UG256 US1 UY598 UZ998 VA39 VE58 VN84 VU678 WS685 XK383 YE967 ZA27 ZM260 ZW263 "
	if !validCountry(country) {
		return ""
	}
	_, rest, _ := strings.Cut(codes, " "+country)
	code, _, _ := strings.Cut(rest, " ")
	return code
}

func validUserID(id string) bool {
	return id != "me" && !strings.ContainsAny(id[:min(1, len(id))], "._-") && consistsOf(id, 1, 64, "._-")
}

// validEmail is as wide as the official SDKs: anything around one @, apart from what cannot be in a
// header or would read as another kind of address.
func validEmail(email string) bool {
	name, host, _ := strings.Cut(email, "@")
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || r == utf8.RuneError }
	return name != "" && host != "" && !strings.Contains(host, "@") && !strings.Contains(name, ":") &&
		len(email) <= 256 && !strings.ContainsFunc(email, odd)
}

func validPhone(phone string) bool {
	digits, plus := strings.CutPrefix(phone, "+")
	return plus && consistsOf(digits, 7, 20, "") && strings.Trim(digits, "0123456789") == ""
}

func validLoginName(name string) bool { return consistsOf(name, 3, 64, "._-") }

func validCountry(country string) bool {
	return len(country) == 2 && strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// validPassword tells whether Kii Cloud would take the password in any app.
func validPassword(password string) bool {
	odd := func(r rune) bool { return r < ' ' || r > '~' }
	return minPassword <= len(password) && len(password) <= maxPassword && !strings.ContainsFunc(password, odd)
}

// consistsOf reports whether the text consists of ASCII letters, digits and what else is given.
func consistsOf(text string, least, most int, also string) bool {
	for _, r := range text {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if digit := '0' <= r && r <= '9'; !letter && !digit && !strings.ContainsRune(also, r) {
			return false
		}
	}
	return least <= len(text) && len(text) <= most
}

// goField is the field of an [Account] that holds an address.
func goField(kind string) string {
	switch kind {
	case kindEmail:
		return "Email"
	case kindPhone:
		return "Phone"
	default:
		return "LoginName"
	}
}
