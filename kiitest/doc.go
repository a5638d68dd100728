// Package kiitest is a Kii Cloud in memory, to test programs against that use package kii.
package kiitest
