package emulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// forEver is from where on a time is shown as "for ever": a token of Kii Cloud's lives for 68
// years.
const forEver = 50 * 365 * 24 * time.Hour

// clockTime writes a moment as the time of the day, with its date unless that is today's.
func clockTime(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	if t.Year() == now.Year() {
		return t.Format("Jan 2 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// fullTime writes a moment whole.
func fullTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// timeLeft writes the time until a moment, as live.js does.
func timeLeft(until, now time.Time) string {
	d := until.Sub(now)
	if d >= forEver {
		return "for ever"
	}
	seconds := int((d + time.Second - 1) / time.Second)
	minutes, hours := seconds/60, seconds/3600
	switch {
	case hours > 47:
		return strconv.Itoa(hours/24) + " days left"
	case hours > 0:
		return strconv.Itoa(hours) + " h " + strconv.Itoa(minutes%60) + " min left"
	case minutes > 0:
		return strconv.Itoa(minutes) + " min " + strconv.Itoa(seconds%60) + " s left"
	}
	return strconv.Itoa(seconds) + " s left"
}

// span writes how far the clock was moved: 1 day 10 min.
func span(d time.Duration) string {
	var parts []string
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		n := d / unit.size
		d -= n * unit.size
		switch {
		case n == 0:
		case unit.name == "day" && n > 1:
			parts = append(parts, fmt.Sprintf("%d days", n))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, unit.name))
		}
	}
	return strings.Join(parts[:min(2, len(parts))], " ")
}

// plural counts things: 1 message, 2 messages.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(n) + " " + thing + "s"
}

// thousands writes a number with commas: 10,000.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
