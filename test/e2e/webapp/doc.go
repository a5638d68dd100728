// Package webapp tests the example web app in a real browser, where only a browser can show that
// something holds. It builds the program, runs it, and reads its messages on the demo page.
//
// With SCREENSHOTS set to a directory, each page is photographed there.
package webapp
