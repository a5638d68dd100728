package kiitest

import "slices"

// LatestMessages returns a part of what [Server.FindMessages] returns, newest first: at most limit
// messages, after those that skip leaves out. total is how many the filter lets through. It copies
// no more than it returns, for a program that looks again and again.
func (s *Server) LatestMessages(f Filter, skip, limit int) (part []Message, total int) {
	s.checkHome("LatestMessages")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range slices.Backward(s.messages) {
		if !s.lets(f, m) {
			continue
		}
		if skip <= total && len(part) < limit {
			part = append(part, m.copy(s.now()))
		}
		total++
		if f == (Filter{}) && len(part) >= limit {
			return part, len(s.messages)
		}
	}
	return part, total
}

// LatestCalls returns the newest calls of the given operations, or of all, newest first and at most
// limit of them. total is how many there are.
func (s *Server) LatestCalls(limit int, of ...Operation) (part []Call, total int) {
	s.checkHome("LatestCalls")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.calls) {
		if len(of) > 0 && !slices.Contains(of, c.Operation) {
			continue
		}
		if total++; len(part) < limit {
			c.Header = c.Header.Clone()
			c.Body = slices.Clone(c.Body)
			part = append(part, c)
		}
	}
	return part, total
}
