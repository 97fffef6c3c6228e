"""The index in SolrCloud: tweets and users, a collection each, spoken to over HTTP."""
