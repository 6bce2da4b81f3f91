# What each migration of Rails sends, as SQL: there is no other way to know than to let it run, on a database that nobody needs.
require "active_record"

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))
ActiveRecord::Migration.verbose = false
context = ActiveRecord::MigrationContext.new("db/migrate", ActiveRecord::SchemaMigration)
sent = []
ActiveSupport::Notifications.subscribe("sql.active_record") { |*, payload| sent << payload[:sql] unless payload[:name] == "SCHEMA" }
context.migrations.each do |migration|
  sent.clear
  context.run(:up, migration.version)
  own = sent.reject { |sql| sql =~ /schema_migrations|ar_internal_metadata|pg_try_advisory_lock|pg_advisory_unlock|current_database/ }
  puts "-- lockkeeper: file #{migration.filename}", own.map { |sql| "#{sql};" }
end
